import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { AuthInfo, TlsOptions } from '../../core/client/index.js';
import { QuorateError } from '../../core/runtime/index.js';

/** How a command proves who it is to the servers, and they to it. */
export interface IdentityFlags {
  readonly auth?: readonly AuthInfo[];
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
}

/** Gives a command the flags `--auth` and `--tls-…`, which can also be set by environment variables. */
export function withIdentityFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--auth <identity>', 'identity, such as digest:user:password; repeat it for several')
        .env('QUORATE_AUTH')
        .argParser(addIdentity),
    )
    .addOption(
      new Option('--tls-ca <file>', 'authorities to trust with wss:// and zks:// (PEM)').env(
        'QUORATE_TLS_CA',
      ),
    )
    .addOption(new Option('--tls-cert <file>', 'certificate of this client (PEM)').env('QUORATE_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'its key (PEM)').env('QUORATE_TLS_KEY'))
    .addOption(
      new Option('--tls-server-name <name>', 'name that the certificate of the server has to be for').env(
        'QUORATE_TLS_SERVER_NAME',
      ),
    );
}

/**
 * The options of `connect` that the flags stand for. Files are read again for each connection. Throws a `QuorateError` of code
 * `TLS_FILE_UNREADABLE` if one of them cannot be read now.
 */
export function identityOptions(flags: IdentityFlags): {
  readonly auth?: readonly AuthInfo[];
  readonly tls?: () => TlsOptions;
} {
  const { auth, tlsCa, tlsCert, tlsKey, tlsServerName } = flags;
  const hasTls = [tlsCa, tlsCert, tlsKey, tlsServerName].some((value) => value !== undefined);
  const tls = (): TlsOptions => ({
    ca: read('--tls-ca', tlsCa),
    cert: read('--tls-cert', tlsCert),
    key: read('--tls-key', tlsKey),
    serverName: tlsServerName,
  });
  if (hasTls) tls();
  return { ...(auth === undefined ? {} : { auth }), ...(hasTls ? { tls } : {}) };
}

/** An identity per line, so that a variable can hold several. */
function addIdentity(text: string, known: readonly AuthInfo[] | undefined): readonly AuthInfo[] {
  const added = text.split('\n').filter((line) => line.trim() !== '');
  return [...(known ?? []), ...added.map(identityOf)];
}

function identityOf(text: string): AuthInfo {
  const colon = text.indexOf(':');
  if (colon < 1)
    // Not the error of the argument parser: that quotes the value, which may be a password.
    throw new QuorateError(
      'INVALID_ARGUMENT',
      'The identity in --auth or QUORATE_AUTH has no scheme. Give scheme:credentials, such as digest:user:password.',
    );
  return { scheme: text.slice(0, colon).trim(), auth: text.slice(colon + 1) };
}

function read(flag: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('TLS_FILE_UNREADABLE', `${flag}: ${why}. Give the path of a PEM file.`, { cause });
  }
}
