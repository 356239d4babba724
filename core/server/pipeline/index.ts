/**
 * The pipeline of a member: prepare → propose → commit → apply.
 *
 * Entry point: `Pipeline<Token>`. A caller asks with `submit`, `openSession`, `resumeSession` or `confirm`, and adds a token. The
 * pipeline keeps the token, does not look into it, and returns it with the outcome of the request. It knows no connection.
 *
 * Outcomes are values:
 * - a `RefusalReason` is returned at once, if this member itself cannot take the request;
 * - `apply(entry)` applies a committed entry and returns it with the token of the request that asked for it. The caller calls it for
 *   each entry in the order of zxids, and acts on the outcome before the next call, so that what it reads then is the state at
 *   exactly that zxid;
 * - `nextOutcome()` returns all other outcomes in their order: a refusal by the leader, a session that may go on here or has moved
 *   away, a confirmed leader, a state that differs from a quorum's.
 *
 * Promises:
 * - A write is proposed at most once, after all that was submitted before it by the same session at this member. Its outcome is
 *   returned at most once. When the role ends, what is under way has an unknown outcome and its tokens are dropped; nothing of it is
 *   sent to a later leader.
 * - A learner's write comes back with its own token: the leader says which zxid it has before it can be committed.
 * - One write allocates a proposal, and, at a learner, an entry in the queue to the leader; no closure and no promise.
 *
 * Owns: the role of this member (leader, learner, reader), the sessions that a leader tracks, proposals in flight and their bytes.
 * Calls: the peer of `core/zab`, `core/data`, state; it asks for a turn with `TurnScheduler`, and calls nothing above.
 * Called by: clients (requests), member (the loop: messages, ticks, committed entries, outcomes).
 */
export { MemberMessageError } from './member-message.js';
export type { AppliedEntry, Outcome, RefusalReason } from './outcome.js';
export { Pipeline } from './pipeline.js';
export { isLocalSession, isOlderThan, newLocalSessionId } from './session-ids.js';
export { TurnScheduler } from './turn-scheduler.js';
