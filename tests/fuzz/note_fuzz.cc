// SPDX-License-Identifier: Apache-2.0
// Notes, verifier keys, checkpoints and successions. A note without known keys verifies nobody.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proto/checkpoint.h"
#include "proto/note.h"
#include "proto/succession.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto vkey = vouch::note::parse_vkey(bytes)) {
    if (vouch::note::write_vkey(*vkey) != bytes) std::abort();
  }
  const auto note = vouch::note::parse_note(bytes);
  if (!note) return 0;
  static const auto known = vouch::note::parse_vkey(
      "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  const auto verified = vouch::note::verify_note(*note, {});
  if (!verified || !verified->empty()) std::abort();
  (void)vouch::note::verify_note(*note, {*known});
  if (const auto checkpoint = vouch::checkpoint::parse_text(note->text)) {
    if (vouch::checkpoint::write_text(*checkpoint) != note->text) std::abort();
  }
  if (const auto succession = vouch::succession::parse_text(note->text)) {
    if (vouch::succession::write_text(*succession) != note->text) std::abort();
  }
  if (vouch::succession::open(bytes, *known)) std::abort();
  return 0;
}
