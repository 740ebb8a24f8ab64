// SPDX-License-Identifier: BSD-3-Clause
//
// A self-signed certificate for "localhost", 127.0.0.1 and ::1, made anew for each test run.
#pragma once

// Writes PEM files. Aborts the test program when OpenSSL refuses.
void test_cert_write(const char *cert_path, const char *key_path);
