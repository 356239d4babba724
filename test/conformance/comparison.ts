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
  let [their, our] = [0, 0];
  while (their < theirs.lines.length || our < ours.lines.length) {
    const excuse = known.find(
      (one) => startsAt(theirs.lines, their, one.theirs) && startsAt(ours.lines, our, one.ours),
    );
    if (excuse !== undefined) {
      unseen.delete(excuse);
      their += excuse.theirs.length;
      our += excuse.ours.length;
    } else if (theirs.lines[their] === ours.lines[our]) {
      their++;
      our++;
    } else
      return {
        faults: describe(theirs.lines.slice(0, their), theirs.lines.slice(their), ours.lines.slice(our)),
        headings: [],
      };
  }
  return {
    faults: [...unseen].map((one) => `a known difference did not occur: ${one.ours.join(' / ')}`),
    headings: [...new Set(known.map((difference) => difference.heading))],
  };
}

function startsAt(lines: readonly string[], index: number, wanted: readonly string[]): boolean {
  return wanted.every((line, offset) => lines[index + offset] === line);
}

function describe(before: readonly string[], theirs: readonly string[], ours: readonly string[]): string[] {
  return [
    `line ${before.length + 1} differs (- Apache ZooKeeper, + Quorate):`,
    ...before.slice(-CONTEXT_LINES).map((line) => `  ${line}`),
    ...theirs.slice(0, CONTEXT_LINES).map((line) => `- ${line}`),
    ...ours.slice(0, CONTEXT_LINES).map((line) => `+ ${line}`),
  ];
}
