/**
 * One member of an ensemble: puts the layers together from below and runs them in one loop.
 *
 * Entry point: `Member`. `start` recovers a storage and takes part; `accept` and `acceptPeer` take connections; `close` ends in order.
 *
 * Promises: a turn never waits; the order in a turn is requests → peer (messages, disk, committed entries and their outcomes) → waiting
 * clients → output. A failure ends the member before it acknowledges anything more. Owns: storage, loop, timers, all layers below.
 * Calls: clients, pipeline, state, peers. Called by: process.
 */
export { isUntouched } from './first-start.js';
export type { ConnectionFigures, Inspection, MemberFigures } from './inspection.js';
export { startingHealth, type MemberHealth } from './member-health.js';
export { Member, type MemberParts } from './member.js';
