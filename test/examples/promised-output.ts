import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../house/imports.js';

/** What the header of an example, named by its path below `examples`, says that it prints. */
export function promisedOutput(file: string): string[] {
  const source = readFileSync(join(projectRoot, 'examples', file), 'utf8');
  const header = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? '';
  const lines = header.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  return lines
    .slice(lines.indexOf('Prints:') + 1)
    .filter((line) => line.startsWith('  '))
    .map((line) => line.slice(2));
}
