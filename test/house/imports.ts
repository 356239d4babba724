/** Reads the imports of the project's own sources, for the tests that keep the rule of imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that the compiled tests belong to. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

export interface Import {
  /** Path of the importing file below the project root, with `/`. */
  readonly from: string;
  /** Path of the imported project file as `.ts`, or the specifier of a package or a `node:` module. */
  readonly to: string;
  readonly isOwn: boolean;
  /** Gone after compilation. */
  readonly isTypeOnly: boolean;
}

/** All TypeScript sources below a top-level folder. */
export function sourcesOf(folder: string): string[] {
  if (!existsSync(join(projectRoot, folder))) return [];
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.split(sep).includes('node_modules'))
    .map((file) => posix.join(folder, file.split(sep).join('/')))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

export function importsOf(file: string): Import[] {
  const text = readSource(file);
  const resolve = (specifier: string, isTypeOnly: boolean): Import => {
    const isOwn = specifier.startsWith('.');
    const target = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
    return { from: file, to: isOwn ? target : specifier, isOwn, isTypeOnly };
  };
  return [
    ...[...text.matchAll(STATEMENT)].map((match) => resolve(match[2]!, match[1] !== undefined)),
    ...[...text.matchAll(DYNAMIC)].map((match) => resolve(match[1]!, false)),
  ];
}

/** The module that a file belongs to: `core/<module>`, `plugins/<name>`, `framework/testing`, else its top-level folder. */
export function moduleOf(file: string): string {
  if (file.startsWith('framework/testing/')) return 'framework/testing';
  const parts = file.split('/');
  return parts[0] === 'core' || parts[0] === 'plugins' ? parts.slice(0, 2).join('/') : parts[0]!;
}

/** Without comments, strings and templates, so that a search finds code only. */
export function codeOf(file: string): string {
  return readSource(file)
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''")
    .replace(/\/\/[^\n]*/g, ' ');
}
