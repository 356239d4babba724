import { format } from 'prettier';

/** What came of one part. */
export interface Row {
  readonly name: string;
  readonly about: string;
  readonly isOk: boolean;
  /** Figures, or what went wrong. */
  readonly result: string;
  readonly command: string;
  readonly seconds: number;
  /** The commit that was tried. */
  readonly commit: string;
  readonly date: Date;
}

const HEAD = `# Proof

What takes too long for CI, as it came out last. \`npm run proof\` runs all parts, \`npm run proof -- --only seeds,mutants\` some of them. A run replaces the rows
of the parts that it ran; each row has the commit and the date of its own run.

| part | what | result | figures | command | seconds | commit | date |
| --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** The page with these rows in place of those of the same name, in the order of `names`. */
export async function updatedPage(
  page: string,
  rows: readonly Row[],
  names: readonly string[],
): Promise<string> {
  const kept = new Map<string, string>();
  for (const [line, name] of page.matchAll(/^\| `([a-z0-9-]+)` +\|.*$/gm)) kept.set(name!, line);
  for (const row of rows) kept.set(row.name, lineOf(row));
  const lines = names.flatMap((name) => kept.get(name) ?? []);
  return format(`${HEAD}${lines.join('\n')}\n`, { parser: 'markdown', printWidth: 110, singleQuote: true });
}

function lineOf({ name, about, isOk, result, command, seconds, commit, date }: Row): string {
  const day = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const verdict = isOk ? 'ok' : '**failed**';
  const cells = [`\`${name}\``, about, verdict, result, `\`${command}\``, seconds.toFixed(0), commit, day];
  return `| ${cells.map(asCell).join(' | ')} |`;
}

function asCell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}
