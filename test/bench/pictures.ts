import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRun } from './bench-run.js';
import { picture, type Panel } from './svg.js';

/** Writes the picture beside the page of results; returns how the page shows it, nothing if none is kept. */
export function keepPicture(
  { pictures }: Pick<BenchRun, 'pictures'>,
  { name, says, panels }: { readonly name: string; readonly says: string; readonly panels: readonly Panel[] },
): string {
  if (pictures.directory === null) return '';
  writeFileSync(join(pictures.directory, `${name}.svg`), picture(panels));
  return `\n\n![${says}](${pictures.link}/${name}.svg)`;
}
