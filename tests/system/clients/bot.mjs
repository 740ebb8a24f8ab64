// SPDX-License-Identifier: BSD-3-Clause
//
// A stock client under remote control: discord.js and @discordjs/voice, unmodified, driven by JSON
// lines on stdin ({"do": ...}) and telling what happens by JSON lines on stdout ({"ev": ...}).
// usage: node bot.mjs '{"api": URL, "token": T, "name": N}'
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Client, GatewayIntentBits } from 'discord.js';
import * as voice from '@discordjs/voice';
import OpusScript from 'opusscript';

const SILENCE = 'f8fffe';
const options = JSON.parse(process.argv[2]);
const say = (ev, more = {}) => process.stdout.write(JSON.stringify({ ev, ...more }) + '\n');
const hash = (bytes) => createHash('sha1').update(bytes).digest('hex').slice(0, 16);

const client = new Client({
  rest: { api: options.api },
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
});
let connection = null;
const hearing = new Map(); // user -> decoder

client.on('raw', (packet) => packet.t && say('dispatch', { t: packet.t, d: packet.d }));
client.on('error', (error) => say('error', { what: String(error) }));
client.once('clientReady', () => say('login', { user: client.user.id, guilds: [...client.guilds.cache.keys()] }));

// Opus frames of a tone that glides, so that no two frames are equal.
function speech(frames, seed) {
  const encoder = new OpusScript(48000, 2, OpusScript.Application.AUDIO);
  let n = 0;
  let phase = seed;
  return new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      if (n === frames) {
        this.push(null);
        return;
      }
      const pcm = Buffer.alloc(960 * 4);
      for (let i = 0; i < 960; i++) {
        phase += (2 * Math.PI * (200 + seed * 37 + ((n * 7) % 400))) / 48000;
        const sample = Math.round(9000 * Math.sin(phase));
        pcm.writeInt16LE(sample, 4 * i);
        pcm.writeInt16LE(sample, 4 * i + 2);
      }
      const packet = Buffer.from(encoder.encode(pcm, 960));
      say('sent', { n: n++, h: hash(packet) });
      this.push(packet);
    },
  });
}

function listen(user) {
  if (hearing.has(user)) return;
  const decoder = new OpusScript(48000, 2, OpusScript.Application.AUDIO);
  hearing.set(user, decoder);
  const stream = connection.receiver.subscribe(user, { end: { behavior: voice.EndBehaviorType.Manual } });
  stream.on('data', (packet) => {
    if (packet.toString('hex') === SILENCE) return;
    const pcm = decoder.decode(packet);
    let energy = 0;
    for (let i = 0; i + 1 < pcm.length; i += 2) energy += Math.abs(pcm.readInt16LE(i));
    say('heard', { user, h: hash(packet), level: Math.round(energy / (pcm.length / 2)) });
  });
}

// The close code of every voice WebSocket that a connection has, one after the other.
const watched = new WeakSet();
function watch(networking) {
  const ws = networking.state.ws;
  if (ws && !watched.has(ws)) {
    watched.add(ws);
    ws.on('close', ({ code }) => say('closed', { code }));
  }
  if (watched.has(networking)) return;
  watched.add(networking);
  networking.on('stateChange', () => watch(networking));
}

const actions = {
  join({ guild, channel, deaf = false }) {
    connection = voice.joinVoiceChannel({
      guildId: guild, channelId: channel, selfDeaf: deaf, selfMute: false, debug: true,
      adapterCreator: client.guilds.cache.get(guild).voiceAdapterCreator,
    });
    connection.on('stateChange', (from, to) => {
      say('voice', { state: to.status, reason: to.reason });
      const key = to.networking?.state?.connectionData?.secretKey;
      if (to.networking) watch(to.networking);
      if (to.status === 'ready' && key) {
        say('key', { h: hash(Buffer.from(key)), port: to.networking.state.udp.socket.address().port });
      }
    });
    connection.on('debug', (text) => say('debug', { text }));
    connection.on('error', (error) => say('error', { what: String(error) }));
    connection.receiver.ssrcMap.on('create', (entry) => listen(entry.userId));
    connection.receiver.ssrcMap.on('delete', (entry) => say('gone', { user: entry.userId }));
  },
  speak({ frames, seed = 1 }) {
    const player = voice.createAudioPlayer();
    player.on('stateChange', (from, to) => to.status === 'idle' && say('spoken'));
    player.on('error', (error) => say('error', { what: String(error) }));
    connection.subscribe(player);
    player.play(voice.createAudioResource(speech(frames, seed), { inputType: voice.StreamType.Opus }));
  },
  rejoin({ guild, channel, deaf = false }) {
    connection.rejoin({ guildId: guild, channelId: channel, selfDeaf: deaf, selfMute: false });
  },
  leave() {
    connection.destroy();
  },
  async moderate({ guild, user, what, value }) {
    const member = client.guilds.cache.get(guild).members.cache.get(user);
    const call = { mute: 'setMute', deaf: 'setDeaf', channel: 'setChannel' }[what];
    try {
      await member.voice[call](value);
      say('moderated', { what });
    } catch (error) {
      say('moderated', { what, failed: String(error) });
    }
  },
  async quit() {
    await client.destroy();
    process.exit(0);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  Promise.resolve(actions[command.do](command)).catch((error) => say('error', { what: String(error.stack) }));
});
process.on('uncaughtException', (error) => {
  say('error', { what: String(error.stack) });
  process.exit(1);
});
client.login(options.token);
