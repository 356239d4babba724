/** The page of results: a section for each bench, each with its own date, so that one can be measured anew without the others. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';

export interface Section {
  readonly title: string;
  /** What was measured and under which settings: sentences in Markdown. */
  readonly about: string;
  /** What prints these tables again, run at the top of the project. */
  readonly commands: readonly string[];
  /** Markdown. */
  readonly body: string;
}

export interface Measured extends Section {
  /** Names the section among the others. */
  readonly name: string;
  readonly date: Date;
  readonly machine: string;
}

const HEAD = `# Results of the benches

Every section is written by the command that it names, with the date and the shape of the machine of that run; a section that a
run does not measure stays as it was. Times of the machine's processor (CPU per operation) can be compared between runs, rates
and latencies only within one: clients, members and whatever else runs share the same few cores.
`;
const NAMED = /<!-- ([a-z-]+) -->\n([\s\S]*?)<!-- \/\1 -->/g;

/** The page with these sections in place of the ones of the same name; in the order of `names`. */
export async function updatedPage(
  page: string,
  sections: readonly Measured[],
  names: readonly string[],
): Promise<string> {
  const kept = new Map<string, string>();
  for (const [, name, text] of page.matchAll(NAMED)) kept.set(name!, text!);
  for (const section of sections) kept.set(section.name, textOf(section));
  const order = [...names, ...[...kept.keys()].filter((name) => !names.includes(name))];
  const texts = order
    .filter((name) => kept.has(name))
    .map((name) => `<!-- ${name} -->\n${kept.get(name)!}<!-- /${name} -->\n`);
  return format([HEAD, ...texts].join('\n'), { parser: 'markdown', printWidth: 110, singleQuote: true });
}

/** Writes the sections into the file, which need not be there. */
export async function keep(
  file: string,
  sections: readonly Measured[],
  names: readonly string[],
): Promise<void> {
  const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, await updatedPage(page, sections, names));
}

function textOf({ title, about, commands, body, date, machine }: Measured): string {
  const day = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `\n## ${title}\n\n${about}\n\n\`\`\`sh\n${commands.join('\n')}\n\`\`\`\n\nMeasured ${day} on ${machine}.\n\n${body}\n\n`;
}
