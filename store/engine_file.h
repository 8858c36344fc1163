/* SPDX-License-Identifier: Apache-2.0 */
/* store/engine_file.h - what the tests of the file engine may see besides store/engine.h. */
#ifndef ANVIL_STORE_ENGINE_FILE_H
#define ANVIL_STORE_ENGINE_FILE_H

#include "store/engine.h"

/* Called after each step of writing a blob, in order; a test ends the process in it. Before threads start. */
enum file_step { FILE_CREATED, FILE_WRITTEN, FILE_SYNCED, FILE_FOLDER_MADE, FILE_RENAMED, FILE_FOLDER_SYNCED, FILE_STEPS };
void file_step_for_tests(void (*fn)(enum file_step step));

#endif
