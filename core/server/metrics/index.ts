/**
 * What the layers count, and how simulations look on: plain counters, and the probe that a member calls at each step.
 *
 * Promises: counting allocates nothing. Owns: the counters, which the layer that counts creates. Calls: nothing above. Called by:
 * pipeline, clients, member.
 */
export { Refusals } from './refusals.js';
export type { MemberGauges, MemberHoldings, MemberProbe } from './member-probe.js';
export { Extremes, Traffic, type LatencyFigures } from './traffic.js';
