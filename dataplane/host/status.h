// SPDX-License-Identifier: BSD-3-Clause
//
// How voicenode-dataplane ends. The supervisor reads these numbers: it tries a lower rung of the
// device ladder after NO_DEVICE, and does not start again what cannot help.
#pragma once

enum host_status {
	HOST_OK = 0,
	HOST_FAILED = 1,    // anything else
	HOST_USAGE = 2,     // arguments, or not started by `voicenode run`
	HOST_NO_DEVICE = 3, // the device could not be started; one sentence with the cure was said
	HOST_NO_HUGEPAGES = 4, // hugepages = required, and there are not enough
	HOST_CONTRACT = 5,     // control has another dp_msg.h, or the progress memfd another shape
};
