// SPDX-License-Identifier: Apache-2.0
// What tells this machine from all others, besides its machine id: what its firmware and its cloud
// call it. Said once, in the enrolment (docs/formats/enrolment.md), so that the store's hosts can
// be matched with an inventory. It is the host's word, and nothing is decided by it.
#pragma once

#include "core/json.h"
#include "core/root.h"

namespace vouch::agent {

// {"hardware":{"vendor","model","serial","uuid"},"cloud":{"provider","instance","region"}}, of
// which what is there and can be read: most of /sys/class/dmi/id is for root alone. Fillers of
// manufacturers ("To be filled by O.E.M.") are left out. Empty where nothing is known.
//
// Sources: SMBIOS through /sys/class/dmi/id; device tree through /proc/device-tree; cloud-init's
// /run/cloud-init/instance-data.json (instance metadata, key v1).
json::Object describe_machine(const Root& root);

}  // namespace vouch::agent
