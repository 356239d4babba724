/**
 * The package as it is published, unpacked into an empty project: no registry is asked. What it depends on is linked from the
 * checkout: exactly what the lock file installs for production, so that a dependency that is not declared is missed.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../house/imports.js';

const run = promisify(execFile);
/** Everything that `npm pack` and its build read. */
const SOURCES = [
  'core',
  'framework',
  'plugins',
  'examples',
  'test',
  'package.json',
  'tsconfig.json',
  'LICENSE',
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'SECURITY.md',
];
/** What the documentation asks a reader to install beside the package. */
const READERS_OWN = ['@types/node', 'undici-types', 'uvu'];

export type CompilerOptions = Readonly<Record<string, unknown>>;

export class FreshProject {
  readonly directory: string;
  /** The files of the tarball, as `npm pack --json` lists them. */
  readonly files: readonly string[];

  private constructor(directory: string, files: readonly string[]) {
    this.directory = directory;
    this.files = files;
  }

  /** Builds and packs a copy of the sources, as a release does, and installs the tarball. */
  static async make(): Promise<FreshProject> {
    const scratch = mkdtempSync(join(tmpdir(), 'quorate-package-'));
    const copy = join(scratch, 'copy');
    for (const name of SOURCES) cpSync(join(projectRoot, name), join(copy, name), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', scratch], {
      cwd: copy,
      maxBuffer: 2 ** 26,
    });
    // The build writes in front of it.
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
      { filename: string; files: readonly { path: string }[] },
    ];
    const directory = join(scratch, 'project');
    const target = join(directory, 'node_modules', 'quorate');
    mkdirSync(target, { recursive: true });
    await run('tar', ['xzf', join(scratch, packed.filename), '-C', target, '--strip-components=1']);
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    for (const name of [...productionDependencies(), ...READERS_OWN]) link(name, directory);
    return new FreshProject(
      directory,
      packed.files.map(({ path }) => path),
    );
  }

  /** The text of a packed file. */
  read(file: string): string {
    return readFileSync(join(this.directory, 'node_modules', 'quorate', file), 'utf8');
  }

  /**
   * Compiles programs as one project with exactly these settings, into `out` of a folder of its own; returns the path of what a
   * program became. Rejects with what the compiler says.
   */
  async compile(
    folder: string,
    programs: Readonly<Record<string, string>>,
    compilerOptions: CompilerOptions,
  ): Promise<(name: string) => string> {
    const directory = join(this.directory, folder);
    mkdirSync(directory, { recursive: true });
    for (const [name, source] of Object.entries(programs))
      writeFileSync(join(directory, `${name}.ts`), source);
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, outDir: 'out', rootDir: '.' },
        include: ['*.ts'],
      }),
    );
    const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [compiler, '--project', directory], { maxBuffer: 2 ** 26 }).catch(
      (error: unknown) => {
        throw new Error(`it does not compile: ${(error as { stdout?: string }).stdout ?? String(error)}`);
      },
    );
    return (name) => join(directory, 'out', `${name}.js`);
  }

  /** Runs a program to its end; resolves with what it printed. Rejects if it fails or does not end. */
  async run(
    program: string,
    environment: Readonly<Record<string, string>> = {},
    parameters: readonly string[] = [],
  ): Promise<{ readonly stdout: string; readonly stderr: string }> {
    return await run(process.execPath, [program, ...parameters], {
      timeout: 60_000,
      cwd: dirname(program),
      env: { ...process.env, ...environment },
    });
  }

  remove(): void {
    rmSync(dirname(this.directory), { recursive: true, force: true });
  }
}

/** Paths below `node_modules` of what a production install has. */
function productionDependencies(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path]) => path.replace('node_modules/', ''))
    .filter((path) => !path.includes('node_modules/'));
}

function link(name: string, directory: string): void {
  const path = join(directory, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules', name), path);
}
