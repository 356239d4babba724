import type { Transcript } from './program-run.js';
import type { KnownDifference } from './suite.js';

const CONTEXT_LINES = 4;

export interface Comparison {
  /** Lines that say what differs; empty if nothing does. */
  readonly faults: readonly string[];
  /** Headings of the known differences that occurred. */
  readonly headings: readonly string[];
}

/** Compares a scenario's transcript with the one from Apache ZooKeeper. */
export function compareTranscripts(
  theirs: Transcript,
  ours: Transcript,
  known: readonly KnownDifference[],
): Comparison {
  if (theirs.faults.length > 0) return { faults: ['nothing to compare with'], headings: [] };
  if (ours.faults.length > 0) return { faults: ours.faults, headings: [] };
  const unseen = new Set(known);
  const length = Math.max(theirs.lines.length, ours.lines.length);
  for (let index = 0; index < length; index++) {
    const [their, our] = [theirs.lines[index], ours.lines[index]];
    if (their === our) continue;
    const excuse = known.find((difference) => difference.theirs === their && difference.ours === our);
    if (excuse === undefined) return { faults: describe(theirs.lines, ours.lines, index), headings: [] };
    unseen.delete(excuse);
  }
  return {
    faults: [...unseen].map((one) => `a known difference did not occur: ${one.theirs} → ${one.ours}`),
    headings: [...new Set(known.map((difference) => difference.heading))],
  };
}

function describe(theirs: readonly string[], ours: readonly string[], index: number): string[] {
  const before = theirs.slice(Math.max(0, index - CONTEXT_LINES), index).map((line) => `  ${line}`);
  return [
    `line ${index + 1} differs (- Apache ZooKeeper, + Quorate):`,
    ...before,
    ...theirs.slice(index, index + CONTEXT_LINES).map((line) => `- ${line}`),
    ...ours.slice(index, index + CONTEXT_LINES).map((line) => `+ ${line}`),
  ];
}
