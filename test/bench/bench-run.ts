import type { Section } from './results.js';
import type { Tools } from './tools.js';

/** What a bench is given. */
export interface BenchRun {
  /** Shorter, fewer, smaller: to see that it works. */
  readonly isQuick: boolean;
  /** The generator of load that is no part of this project. */
  readonly tools: Tools | null;
  /** Directory for pictures, null if none are kept, and how the page of results names it. */
  readonly pictures: { readonly directory: string | null; readonly link: string };
  /** Says how far it has come. */
  readonly note: (line: string) => void;
}

/** Measures one subject. */
export interface Bench {
  readonly name: string;
  readonly needsTools: boolean;
  readonly run: (run: BenchRun) => Promise<Section>;
}

/** For benches that declare that they need them. */
export function toolsOf({ tools }: BenchRun): Tools {
  if (tools === null)
    throw new Error('this bench needs the tools: name their folder with --tools or BENCH_TOOLS');
  return tools;
}
