// SPDX-License-Identifier: BSD-3-Clause
//
// Raw WebSocket connections under remote control, for signaling_abuse_test.py: no rules but the
// framing's. One JSON line in per command, one JSON line out per event.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const sockets = new Map();
const say = (ev, more = {}) => process.stdout.write(JSON.stringify({ ev, ...more }) + '\n');

const actions = {
  open({ id, url }) {
    const ws = new WebSocket(url);
    sockets.set(id, ws);
    ws.on('open', () => say('open', { id }));
    ws.on('message', (data, binary) => say('message', { id, binary, text: data.toString() }));
    ws.on('close', (code) => say('closed', { id, code }));
    ws.on('error', (error) => say('trouble', { id, what: String(error) }));
    ws.on('unexpected-response', (request, response) => {
      say('closed', { id, code: response.statusCode });
      request.destroy();
    });
  },
  send({ id, text, hex, fill, times = 1 }) {
    const data = hex !== undefined ? Buffer.from(hex, 'hex') : fill !== undefined ? 'x'.repeat(fill) : text;
    for (let n = 0; n < times; n++) sockets.get(id).send(data, () => {});
  },
  close({ id, code = 1000 }) {
    sockets.get(id).close(code);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  try {
    actions[command.do](command);
  } catch (error) {
    say('trouble', { id: command.id, what: String(error) });
  }
});
say('ready');
