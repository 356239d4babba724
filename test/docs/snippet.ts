/** Takes the programs out of the documentation, so that the tests can compile and run what a reader would type. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../house/imports.js';

const run = promisify(execFile);

/** The blocks of a Markdown file that are fenced as TypeScript, in order. */
export function snippetsOf(markdownFile: string): string[] {
  const text = readFileSync(join(projectRoot, markdownFile), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

/** The compiler's settings that the README asks of an application. */
export const APPLICATION_SETTINGS = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    experimentalDecorators: true,
    types: ['node'],
    outDir: 'out',
  },
};

/**
 * Compiles `source` as a project of its own in `directory` and runs it; resolves with what it printed.
 * `quorate` must be resolvable from there. Rejects with the compiler's or the program's own words.
 */
export async function compileAndRun(
  directory: string,
  source: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'program.ts'), source);
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ ...APPLICATION_SETTINGS, include: ['program.ts'] }),
  );
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '--project', directory]).catch((error: unknown) => {
    throw new Error(
      `the program does not compile: ${(error as { stdout?: string }).stdout ?? String(error)}`,
    );
  });
  const { stdout } = await run(process.execPath, [join(directory, 'out', 'program.js')], {
    timeout: 60_000,
    env: { ...process.env, ...environment },
  });
  return stdout;
}
