// SPDX-License-Identifier: Apache-2.0
// The collector `openscap`: what a benchmark of SCAP says of this host, by `oscap xccdf eval`, or
// by a file of results that somebody else has made.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::openscap {

sdk::Collector make_openscap();

}  // namespace vouch::openscap
