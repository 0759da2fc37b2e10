// SPDX-License-Identifier: Apache-2.0
// parse_record() for a record inside a larger object, so that problems name the place in the whole.
#pragma once

#include "proto/fields.h"
#include "proto/record.h"

namespace vouch {

void read_record(FieldReader& io, Record& out);

}  // namespace vouch
