// SPDX-License-Identifier: Apache-2.0
// What enrolment and re-pin have in common: the answer of a store, checked and kept.
#pragma once

#include <string>

#include "agent/vouchd/enrol.h"
#include "agent/vouchd/state.h"
#include "core/json.h"
#include "core/result.h"
#include "proto/enrolment.h"

namespace vouch::agent {

// The name, system and kernel, and what `options.identity` has.
json::Object describe_host(const EnrolOptions& options);

// Sends the request and checks the answer; Errc::denied says why the store refused, or what of its
// answer does not hold. Then writes what vouch-ship needs to know of the store.
Result<enrolment::Enrolled> ask_store(const std::string& state_dir, const JoinString& join,
                                      const std::string& envelope,
                                      const enrolment::Request& request, const PostEnrolment& post);

// The log's checkpoint in that answer, as accepted.
AcceptedCheckpoint checkpoint_of(const enrolment::Enrolled& enrolled);

}  // namespace vouch::agent
