import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Change, Mutant } from './mutant.js';

/** The compiled code, `dist`. */
const compiledRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const projectRoot = join(compiledRoot, '..');

/** What a run of the simulator needs. */
const NEEDED = ['core', 'plugins/zookeeper', 'test/simulation'];

/** Makes copies of the compiled code, as it is now, each with one mistake in it. */
export class Workshop {
  readonly #root = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));

  constructor() {
    for (const folder of NEEDED)
      cpSync(join(compiledRoot, folder), join(this.#root, 'original', folder), { recursive: true });
  }

  /** The `dist` of the copy. Throws if a change does not fit. */
  make({ name, changes }: Pick<Mutant, 'name' | 'changes'>): string {
    const copy = join(this.#root, name);
    mkdirSync(copy, { recursive: true });
    cpSync(join(projectRoot, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'), 'dir');
    cpSync(join(this.#root, 'original'), join(copy, 'dist'), { recursive: true });
    for (const [file, find, replace] of changes) {
      const path = join(copy, 'dist', file);
      writeFileSync(path, changed(readFileSync(path, 'utf8'), [file, find, replace]));
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

/** Why the changes of a mutant do not fit the compiled code as it is; null if they do. */
export function misfitOf({ changes }: Mutant): string | null {
  const sources = new Map<string, string>();
  try {
    for (const change of changes) {
      const [file] = change;
      const source = sources.get(file) ?? readFileSync(join(compiledRoot, file), 'utf8');
      sources.set(file, changed(source, change));
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function changed(source: string, [file, find, replace]: Change): string {
  const parts = source.split(find);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length !== 2)
    throw new Error(`dist/${file} has ${parts.length - 1} times, not once: ${find}`);
  return before + replace + after;
}
