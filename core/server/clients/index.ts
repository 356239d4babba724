/**
 * The clients of a member: connections, handshake, sessions that are attached here, admission of requests, reads, watches, output.
 *
 * Entry point: `ClientService`. `accept` takes a connection, however it was carried here. In each turn the loop calls `work`
 * (requests are admitted), `applied` and `settled` (outcomes of the pipeline), `proceed` and `flush`.
 *
 * Parts, in the order in which a request passes them:
 * - `connection/`: `Inbound` (packets that wait), `OwedReplies` (the order of replies, and of reads among writes), `Outbound` (what
 *   is written), and `ClientConnection`, the state of one connection;
 * - `Handshake` and `AttachedSessions`: from a connect request to a session with one connection. What a session must prove (an
 *   accepted identity, the id of the ensemble) is checked here, with `Authentication` and `SessionPasswords`;
 * - `Admission`: whose requests are processed in a turn, and how many. Shares, queues and budgets of bytes and processor time per
 *   connection and per identity belong here;
 * - `RequestRouter`: a write goes to the pipeline with its `ReplySlot` as the token, a `sync` too, anything else is local;
 * - `LocalRequests` and `WatchService`: reads and watches, between two transactions. Limits of watches belong to `WatchService`; the
 *   size of a reply is to be limited where `LocalRequests` completes the slot, before it is encoded.
 *
 * Promises: a session's requests take effect and are answered in their order; a read stands at its place among the session's writes;
 * a client is notified of a change before it can read it. What waits is bounded, and then the transport is not read.
 *
 * Owns: connections, their buffers, watches, pending syncs. Calls: pipeline, state (reads); nothing above. Called by: member.
 */
export { Authentication, identitiesOfCertificate } from './authentication.js';
export type { ClientPipeline } from './client-token.js';
export { ClientService } from './client-service.js';
export type { ClientConnection } from './connection/client-connection.js';
