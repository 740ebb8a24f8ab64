// SPDX-License-Identifier: BSD-3-Clause
//
// Opcodes of the voice gateway (protocol.md 3.2) and its close codes (3.5). The names are the
// labels of voicenode_ws_messages_total. Plain constants, any thread.
#pragma once

// X(enum suffix, number, metric label)
#define VOICE_OPS(X)                                              \
	X(IDENTIFY, 0, "identify")                                \
	X(SELECT_PROTOCOL, 1, "select_protocol")                  \
	X(READY, 2, "ready")                                      \
	X(HEARTBEAT, 3, "heartbeat")                              \
	X(SESSION_DESCRIPTION, 4, "session_description")          \
	X(SPEAKING, 5, "speaking")                                \
	X(HEARTBEAT_ACK, 6, "heartbeat_ack")                      \
	X(RESUME, 7, "resume")                                    \
	X(HELLO, 8, "hello")                                      \
	X(RESUMED, 9, "resumed")                                  \
	X(CLIENTS_CONNECT, 11, "clients_connect")                 \
	X(VIDEO, 12, "video")                                     \
	X(CLIENT_DISCONNECT, 13, "client_disconnect")             \
	X(SESSION_UPDATE, 14, "session_update")                   \
	X(MEDIA_SINK_WANTS, 15, "media_sink_wants")               \
	X(BACKEND_VERSION, 16, "backend_version")                 \
	X(CLIENT_FLAGS, 18, "client_flags")                       \
	X(CLIENT_PLATFORM, 20, "client_platform")                 \
	X(DAVE_PREPARE_TRANSITION, 21, "dave_prepare_transition") \
	X(DAVE_EXECUTE_TRANSITION, 22, "dave_execute_transition") \
	X(DAVE_TRANSITION_READY, 23, "dave_transition_ready")     \
	X(DAVE_PREPARE_EPOCH, 24, "dave_prepare_epoch")           \
	X(DAVE_EXTERNAL_SENDER, 25, "dave_external_sender")       \
	X(DAVE_KEY_PACKAGE, 26, "dave_key_package")               \
	X(DAVE_PROPOSALS, 27, "dave_proposals")                   \
	X(DAVE_COMMIT_WELCOME, 28, "dave_commit_welcome")         \
	X(DAVE_ANNOUNCE_COMMIT, 29, "dave_announce_commit")       \
	X(DAVE_WELCOME, 30, "dave_welcome")                       \
	X(DAVE_INVALID_COMMIT, 31, "dave_invalid_commit")         \
	X(NO_ROUTE, 32, "no_route")                               \
	X(UNKNOWN, 33, "unknown")

#define VOICE_OP_ENUM(name, number, label) VOICE_OP_##name = (number),
enum voice_op {
	VOICE_OPS(VOICE_OP_ENUM) //
	VOICE_OP_COUNT = 34,
};

// X(enum suffix, WebSocket close code, reason that the peer sees)
#define VOICE_CLOSES(X)                                         \
	X(GOING_AWAY, 1001, "Node is stopping.")                \
	X(INTERNAL, 1011, "Internal error.")                    \
	X(UNKNOWN_OPCODE, 4001, "Unknown opcode.")              \
	X(DECODE, 4002, "Failed to decode payload.")            \
	X(NOT_AUTHENTICATED, 4003, "Not authenticated.")        \
	X(AUTHENTICATION, 4004, "Authentication failed.")       \
	X(ALREADY, 4005, "Already authenticated.")              \
	X(SESSION_INVALID, 4006, "Session is no longer valid.") \
	X(TIMEOUT, 4009, "Session timed out.")                  \
	X(SERVER_NOT_FOUND, 4011, "Server not found.")          \
	X(UNKNOWN_PROTOCOL, 4012, "Unknown protocol.")          \
	X(DISCONNECTED, 4014, "Disconnected.")                  \
	X(CRASHED, 4015, "Voice server crashed.")               \
	X(UNKNOWN_MODE, 4016, "Unknown encryption mode.")       \
	X(BAD_REQUEST, 4020, "Bad request.")                    \
	X(RATE_LIMITED, 4021, "Rate limited.")                  \
	X(TERMINATED, 4022, "Call terminated.")

#define VOICE_CLOSE_ENUM(name, code, reason) VOICE_CLOSE_##name = (code),
enum voice_close {
	VOICE_CLOSE_NONE = 0,
	VOICE_CLOSES(VOICE_CLOSE_ENUM) //
};

#define VOICE_SPEAKING_VOICE 1u
#define VOICE_SPEAKING_SOUNDSHARE 2u
#define VOICE_SPEAKING_PRIORITY 4u
#define VOICE_SPEAKING_MASK 7u
