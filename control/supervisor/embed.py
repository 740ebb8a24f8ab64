#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# embed.py OBJECT HEADER NAME: writes the bytes of OBJECT as a C array, so that the binary carries its
# own steering program and needs no file beside it.
import sys

source, target, name = sys.argv[1:]
with open(source, 'rb') as f:
    data = f.read()
lines = [', '.join('0x%02x' % b for b in data[i:i + 12]) for i in range(0, len(data), 12)]
with open(target, 'w') as f:
    f.write('// Made by embed.py.\n#pragma once\n\n')
    f.write('// ELF headers are read in place: eight bytes of alignment.\n')
    f.write('static const _Alignas(8) unsigned char %s[] = {\n\t' % name)
    f.write(',\n\t'.join(lines) + '};\n')
