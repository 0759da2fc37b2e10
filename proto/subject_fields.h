// SPDX-License-Identifier: Apache-2.0
// How the `subject` of an in-toto Statement is read and written, the same for bundles and drop
// notices.
#pragma once

#include <vector>

#include "proto/fields.h"
#include "proto/statement.h"

namespace vouch {

void read_subject(FieldReader& io, Subject& subject);
void write_subject(FieldWriter& io, const Subject& subject);
// Not empty, sorted by name, each name and each digest once.
void check_subject_list(FieldReader& io, const std::vector<Subject>& subjects);

}  // namespace vouch
