/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/cortexm/startup.S"
#include "../common/cortexm/aeabi.S"
