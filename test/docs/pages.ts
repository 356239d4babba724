/** Takes programs, settings and links out of the documentation. */
import { dirname, join, normalize } from 'node:path';
import { readSource } from '../house/imports.js';

/** The pages whose programs a reader pastes. */
export const GUIDES: readonly string[] = [
  'README.md',
  'framework/README.md',
  'framework/EVENTS.md',
  'framework/MIGRATION.md',
  'framework/testing/README.md',
  'core/recipes/README.md',
  'core/recipes/queue/README.md',
  'core/client/README.md',
  'core/server/README.md',
  'plugins/cli/README.md',
  'plugins/pino/README.md',
  'plugins/zookeeper/README.md',
];

/** A program of a page, which stands there in a block fenced as TypeScript. */
export interface Program {
  /** Good for a file name. */
  readonly name: string;
  readonly page: string;
  readonly source: string;
  /** False for one that needs servers of the reader's own: it is only compiled. */
  readonly runs: boolean;
  /** What it prints, if the page has a block of text right behind it. */
  readonly promised: string | undefined;
}

export function programsOf(page: string): readonly Program[] {
  const blocks = readSource(page).matchAll(
    /^```ts( no-run)?\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm,
  );
  return [...blocks].map(([, noRun, source, promised], index) => ({
    name: `${page.replaceAll(/\W/g, '-')}-${index + 1}`,
    page,
    source: source!,
    runs: noRun === undefined,
    promised,
  }));
}

/** The `compilerOptions` that the README states: its first block fenced as JSON. */
export function statedSettings(): Readonly<Record<string, unknown>> {
  const [, json] = /^```json\n([\s\S]*?)^```$/m.exec(readSource('README.md'))!;
  return (JSON.parse(json!) as { readonly compilerOptions: Readonly<Record<string, unknown>> })
    .compilerOptions;
}

/** Whether a program uses Node's own API: then the README asks for `"types": ["node"]` too. */
export function usesNode(source: string): boolean {
  return /from 'node:|import 'node:|\bprocess\.|\bBuffer\b/.test(source);
}

export interface Link {
  /** From the root of the project; the page itself for a link within it. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** The relative links of a page. */
export function linksOf(page: string, text: string): readonly Link[] {
  return [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, href]) => href!)
    .filter((href) => !/^\w+:/.test(href))
    .map((href) => {
      const [path, anchor] = href.split('#') as [string, string | undefined];
      return { target: path === '' ? page : normalize(join(dirname(page), path)), anchor };
    });
}

/** The anchors that the headings of a page make, as GitHub and npm write them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}
