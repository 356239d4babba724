import { transformSync } from 'esbuild';
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Change, Mutant } from './mutant.js';

/** The compiled code, `dist`. */
const compiledRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const projectRoot = join(compiledRoot, '..');

/** Makes copies of the compiled code, as it is now, each with one mistake in its sources. */
export class Workshop {
  readonly #root = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));

  constructor() {
    // A build while mutants run must not change what they are compared with.
    cpSync(compiledRoot, join(this.#root, 'original'), { recursive: true });
  }

  /** The `dist` of the copy. Throws if a change does not fit. */
  make({ name, changes }: Pick<Mutant, 'name' | 'changes'>): string {
    const copy = join(this.#root, name);
    mkdirSync(copy, { recursive: true });
    cpSync(join(projectRoot, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'), 'dir');
    linkTree(join(this.#root, 'original'), join(copy, 'dist'));
    for (const [file, source] of changedSources(changes)) {
      const path = join(copy, 'dist', file.replace(/\.ts$/, '.js'));
      // The file is a link to the original: it is replaced, never written to.
      rmSync(path);
      writeFileSync(path, compiled(source));
    }
    return join(copy, 'dist');
  }

  discard(name: string): void {
    rmSync(join(this.#root, name), { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Why the changes of a mutant do not fit the sources as they are; null if they do. */
export function misfitOf({ changes }: Pick<Mutant, 'changes'>): string | null {
  try {
    for (const source of changedSources(changes).values()) compiled(source);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** By file, relative to the project. */
function changedSources(changes: readonly Change[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const change of changes) {
    const [file] = change;
    const source = sources.get(file) ?? readFileSync(join(projectRoot, file), 'utf8');
    sources.set(file, changed(source, change));
  }
  return sources;
}

function changed(source: string, [file, find, replace]: Change): string {
  const parts = source.split(find);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length !== 2)
    throw new Error(`${file} has ${parts.length - 1} times, not once: ${find}`);
  return before + replace + after;
}

/** Types are not checked: a mistake may be one that the compiler would refuse. */
function compiled(source: string): string {
  const compilerOptions = { experimentalDecorators: true, verbatimModuleSyntax: true };
  return transformSync(source, { loader: 'ts', target: 'es2023', tsconfigRaw: { compilerOptions } }).code;
}

function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else linkSync(source, target);
  }
}
