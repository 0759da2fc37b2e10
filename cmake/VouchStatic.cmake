# What our programs have inside them instead of loading it when they start (docs/decisions/
# 0003-static-linking.md): everything but glibc, and libcurl with its OpenSSL. Included before the
# libraries are looked for; VOUCH_STATIC is on in the release preset.
option(VOUCH_STATIC "Link libraries into the programs, all but glibc and libcurl" OFF)

# vouch::crypto and vouch::ssl: OpenSSL's archives; for a program with VOUCH_USES_CURL the shared
# libraries, which libcurl loads too: two copies of OpenSSL in one process would be one too many.
function(vouch_openssl)
  foreach(name crypto ssl)
    add_library(vouch_${name} INTERFACE)
    add_library(vouch::${name} ALIAS vouch_${name})
  endforeach()
  if(NOT VOUCH_STATIC)
    target_link_libraries(vouch_crypto INTERFACE OpenSSL::Crypto)
    target_link_libraries(vouch_ssl INTERFACE OpenSSL::SSL)
    return()
  endif()
  find_library(VOUCH_CRYPTO_ARCHIVE libcrypto.a REQUIRED)
  find_library(VOUCH_SSL_ARCHIVE libssl.a REQUIRED)
  set(uses_curl $<BOOL:$<TARGET_PROPERTY:VOUCH_USES_CURL>>)
  target_link_libraries(vouch_crypto INTERFACE
    $<IF:${uses_curl},OpenSSL::Crypto,${VOUCH_CRYPTO_ARCHIVE}>)
  target_link_libraries(vouch_ssl INTERFACE
    $<IF:${uses_curl},OpenSSL::SSL,${VOUCH_SSL_ARCHIVE}> vouch_crypto)
endfunction()

if(NOT VOUCH_STATIC)
  return()
endif()
set(Boost_USE_STATIC_LIBS ON)
add_link_options(-static-libstdc++ -static-libgcc)

# The archive in place of the shared library that a package's own description names.
function(vouch_use_archive target archive)
  find_library(VOUCH_ARCHIVE_${archive} ${archive} REQUIRED)
  foreach(suffix "" _NONE _RELEASE _RELWITHDEBINFO)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION${suffix} ${VOUCH_ARCHIVE_${archive}})
  endforeach()
endfunction()
