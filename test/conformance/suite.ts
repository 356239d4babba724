import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServersOptions } from './servers/index.js';

/**
 * One client, and what it is put through. `suite.ts` in its folder exports one as `suite`.
 *
 * Its program is called as `program CONNECT scenario…`, where CONNECT is `host:port,…`. It runs the scenarios one after the
 * other in one process, each below a root of its own, `/<scenario>`. On standard output it prints `## <scenario>` before each, and
 * then the transcript: a line for each thing observed, with nothing in it that depends on time, place or session id. A line
 * that begins with `!!` says what went wrong: that scenario has failed. Standard error is for diagnostics. It exits with
 * 0 unless something unexpected happened.
 *
 * A scenario passes if its transcript is the one that the program printed on as many servers of Apache ZooKeeper.
 *
 * The program may ask for faults. It prints one of these lines, which are no part of the transcript, and reads `ok` from standard
 * input when that is done:
 *
 * - `@kill N`, `@start N`, `@restart N`: kill -9 and start of server N, or of the `leader`, or of a `follower`; `@start all` starts
 *   all that do not run. All are done when those that run serve.
 * - `@cut`: every connection between clients and servers breaks. `@block`: and so does each new one, until `@unblock`.
 */
export interface Suite {
  /** As it stands in the matrix. */
  readonly name: string;
  /** In the order in which they run. */
  readonly scenarios: readonly string[];
  /** Of `scenarios`, those that need three servers, because they kill some; the others run on one and on three. */
  readonly onThreeOnly?: readonly string[];
  /** Whether this machine has the client. */
  installed(): Promise<boolean>;
  /** Once before the first run: compiles the program into `directory`, which is empty. */
  prepare(directory: string): Promise<void>;
  /** The program and its first arguments. */
  command(directory: string): readonly string[];
  /** Besides what the harness itself has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What its servers are told beside what all are. */
  readonly servers?: ServersOptions;
  /** Where our servers answer otherwise on purpose. One that does not occur is a failure, like one that is not listed. */
  readonly differences?: readonly KnownDifference[];
}

/** Lines of a transcript in whose place others stand with us. */
export interface KnownDifference {
  readonly scenario: string;
  /** The lines on Apache ZooKeeper. */
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
  /** Where it occurs; on one server and on three if this is missing. */
  readonly on?: 'one' | 'three';
  /** The heading in DIFFERENCES.md that says why. */
  readonly heading: string;
}

/** The folder among the sources of the compiled module whose `import.meta.url` this is. */
export function sourceFolder(moduleUrl: string): string {
  const compiled = dirname(fileURLToPath(moduleUrl));
  let root = compiled;
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return join(root, relative(join(root, 'dist'), compiled));
}
