import { build } from 'esbuild';
import { projectRoot } from '../house/imports.js';

/** What a browser gets: the public door `quorate/client` in one script, as the global `quorate`. */
export async function bundleClient(): Promise<{
  readonly code: string;
  readonly imports: readonly string[];
}> {
  const result = await build({
    stdin: { contents: `export * from 'quorate/client';`, resolveDir: projectRoot, loader: 'js' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'quorate',
    target: 'es2022',
    logLevel: 'silent',
  });
  const imports = Object.values(result.metafile.inputs).flatMap((input) =>
    input.imports.map(({ path }) => path),
  );
  return { code: result.outputFiles[0]!.text, imports };
}
