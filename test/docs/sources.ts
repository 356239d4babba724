/** What the documentation is held against: the sources as text, and the tables of a page. */
import { readSource, sourcesOf } from '../house/imports.js';

/** Every source file of the product below these folders. */
export function productSources(
  ...folders: readonly string[]
): readonly { readonly file: string; readonly text: string }[] {
  return folders.flatMap((folder) => sourcesOf(folder)).map((file) => ({ file, text: readSource(file) }));
}

/**
 * The rows of the tables of a page whose first cell is one word of code; each as its cells, without the marks around that
 * first one. `section` picks what stands below that heading, up to the next of any level.
 */
export function documentedRows(page: string, section?: string): readonly (readonly string[])[] {
  return sectionOf(readSource(page), section)
    .split('\n')
    .filter((line) => /^\| `[^`]+`/.test(line))
    .map((line) => {
      const cells = line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [/^`([^`]+)`/.exec(cells[0]!)![1]!, ...cells.slice(1)];
    });
}

/** What stands in only one of the two. */
export function disagreement(
  inSources: Iterable<string>,
  documented: Iterable<string>,
): { readonly undocumented: readonly string[]; readonly outlived: readonly string[] } {
  const sources = new Set(inSources);
  const page = new Set(documented);
  return {
    undocumented: [...sources].filter((one) => !page.has(one)).sort(),
    outlived: [...page].filter((one) => !sources.has(one)).sort(),
  };
}

/** The names of the members of an interface, or of the object types of a union, in the order of the source. */
export function membersOf(file: string, declaration: string): readonly string[] {
  const text = readSource(file).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const start = text.search(new RegExp(`(?:interface|type) ${declaration}\\b`));
  if (start === -1) throw new Error(`${file} declares no ${declaration}`);
  const open = text.indexOf('{\n', start);
  const names: string[] = [];
  let depth = 0;
  for (const line of text.slice(open).split('\n')) {
    const name = depth === 1 ? /^\s*(?:readonly )?(\w+)\??[:(]/.exec(line)?.[1] : undefined;
    if (name !== undefined) names.push(name);
    for (const mark of line)
      depth += mark === '{' || mark === '(' ? 1 : mark === '}' || mark === ')' ? -1 : 0;
    if (depth === 0) break;
  }
  return names;
}

function sectionOf(text: string, section: string | undefined): string {
  if (section === undefined) return text;
  const parts = text.split(/^#+ /m);
  const found = parts.find((part) => part.startsWith(`${section}\n`));
  if (found === undefined) throw new Error(`no section "${section}"`);
  return found;
}
