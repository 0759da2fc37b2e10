# One interface target with what every target of ours is compiled with.
add_library(vouch_options INTERFACE)
target_compile_features(vouch_options INTERFACE cxx_std_20)
target_compile_options(vouch_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -fstack-protector-strong -fvisibility=hidden -pthread)
# g++ 12 sees uninitialised members in moved std::variants (PR 105562 and others): pages of it, all false.
target_compile_options(vouch_options INTERFACE $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
# What is shipped names no directory of who built it: the same bytes wherever that is.
# The compiler cache makes paths relative to the build directory, so that they are mapped as well.
file(RELATIVE_PATH from_build ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/)
target_compile_options(vouch_options INTERFACE
  $<$<CONFIG:Release>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>
  $<$<CONFIG:Release>:-ffile-prefix-map=${from_build}=>)
target_include_directories(vouch_options INTERFACE ${PROJECT_SOURCE_DIR})
target_link_options(vouch_options INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)
target_compile_definitions(vouch_options INTERFACE VOUCH_VERSION="${PROJECT_VERSION}")
