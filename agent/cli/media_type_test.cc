// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/media_type.h"

#include <catch2/catch.hpp>

namespace vouch::cli {

TEST_CASE("a document's kind is told by its bytes, then by its name", "[media_type]") {
  CHECK(media_type_of("policy.md", "%PDF-1.7") == "application/pdf");
  CHECK(media_type_of("policy.md", "# Access") == "text/markdown");
  CHECK(media_type_of("NOTES", "plain") == "text/plain");
  CHECK(media_type_of("NOTES", "\xff\xfe") == "application/octet-stream");
  CHECK(media_type_of("a.docx", "PK\x03\x04") ==
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
}

}  // namespace vouch::cli
