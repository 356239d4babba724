import { readFileSync } from 'node:fs';
import { parseJson } from '../../core/runtime/index.js';
import { ConfigurationError, type ServeOptions } from '../../core/server/index.js';
import type { ZooKeeperSettings } from './zookeeper-listeners.js';
import { LOG_LEVELS, type LogLevel } from './pino-logger.js';

/** What can be set, by flag, by environment variable or in the configuration file. */
export interface ServeSettings
  extends Omit<ServeOptions, 'listeners' | 'logger' | 'clock' | 'random' | 'tlsCert'>, ZooKeeperSettings {
  readonly logLevel: LogLevel;
}

type SettingValue = string | number | boolean | readonly string[];

export interface Setting {
  /** As it stands in the configuration file. */
  readonly name: keyof ServeSettings;
  /** As commander takes it. */
  readonly flag: string;
  /** `list`: text with commas; in the configuration file an array of texts as well. */
  readonly type: 'string' | 'number' | 'boolean' | 'list';
  readonly description: string;
}

export const SETTINGS: readonly Setting[] = [
  { name: 'data', flag: '--data <directory>', type: 'string', description: 'data directory of this member' },
  { name: 'host', flag: '--host <address>', type: 'string', description: 'address to listen at (127.0.0.1)' },
  { name: 'port', flag: '--port <number>', type: 'number', description: 'port to listen at (7300)' },
  {
    name: 'zookeeperPort',
    flag: '--zookeeper-port <number>',
    type: 'number',
    description: "port for ZooKeeper's own clients, usually 2181 (none)",
  },
  {
    name: 'secureZookeeperPort',
    flag: '--secure-zookeeper-port <number>',
    type: 'number',
    description: 'the same under TLS (none)',
  },
  {
    name: 'tlsCert',
    flag: '--tls-cert <file>',
    type: 'string',
    description: 'certificate of this member, PEM; with it the port accepts only TLS (no TLS)',
  },
  { name: 'tlsKey', flag: '--tls-key <file>', type: 'string', description: 'key of the certificate, PEM' },
  {
    name: 'tlsCa',
    flag: '--tls-ca <file>',
    type: 'string',
    description: 'authorities of the certificates of members and clients, PEM (clients present none)',
  },
  {
    name: 'tlsClientAuth',
    flag: '--tls-client-auth <rule>',
    type: 'string',
    description: 'clients need a certificate: required or optional (required at the ZooKeeper port only)',
  },
  {
    name: 'memberAuth',
    flag: '--member-auth <list>',
    type: 'string',
    description: 'how members prove who they are: secret, certificate, or both, the first proves',
  },
  {
    name: 'tlsAllowPlain',
    flag: '--tls-allow-plain',
    type: 'boolean',
    description: 'accept also connections without TLS, while an ensemble changes to TLS',
  },
  {
    name: 'fourLetterWords',
    flag: '--four-letter-words <list>',
    type: 'string',
    description:
      'words that everybody may use, * or ruok,srvr,mntr (all from this machine, srvr and isro from elsewhere)',
  },
  { name: 'id', flag: '--id <number>', type: 'number', description: 'number of this member, 1 to 254 (1)' },
  {
    name: 'ensemble',
    flag: '--ensemble <members>',
    type: 'string',
    description: 'all members, 1=host:port,2=host:port,3=host:port:observer (this one alone)',
  },
  {
    name: 'observer',
    flag: '--observer',
    type: 'boolean',
    description: 'this member has no vote; the ensemble must say so too',
  },
  {
    name: 'initialize',
    flag: '--initialize',
    type: 'boolean',
    description: 'no effect: a new ensemble is founded when all of its members run with empty directories',
  },
  {
    name: 'secretFile',
    flag: '--secret-file <file>',
    type: 'string',
    description: 'file with the secret that all members of the ensemble share',
  },
  {
    name: 'refuseLooseFiles',
    flag: '--refuse-loose-files',
    type: 'boolean',
    description:
      'refuse to start when others have access to the data directory, secret or key (default: warn)',
  },
  {
    name: 'secret',
    flag: '--secret <text>',
    type: 'string',
    description: 'the secret itself; as a flag it can be seen by everybody on this machine',
  },
  {
    name: 'tickMs',
    flag: '--tick-ms <ms>',
    type: 'number',
    description: 'granularity of session expiry, and unit of the limits (500)',
  },
  {
    name: 'initLimit',
    flag: '--init-limit <ticks>',
    type: 'number',
    description: 'ticks for reaching a leader and catching up with it, each (10)',
  },
  {
    name: 'syncLimit',
    flag: '--sync-limit <ticks>',
    type: 'number',
    description: 'ticks of silence after which members give each other up (5)',
  },
  {
    name: 'minSessionMs',
    flag: '--min-session-ms <ms>',
    type: 'number',
    description: 'shortest session timeout (two ticks)',
  },
  {
    name: 'maxSessionMs',
    flag: '--max-session-ms <ms>',
    type: 'number',
    description: 'longest session timeout (40000)',
  },
  {
    name: 'superDigest',
    flag: '--super-digest <identity>',
    type: 'string',
    description: 'identity that passes every ACL, user:base64(sha1("user:password"))',
  },
  {
    name: 'superUser',
    flag: '--super-user <identity>',
    type: 'string',
    description: 'user of SASL or subject of a certificate that passes every ACL, sasl:user or x509:subject',
  },
  {
    name: 'requireAuth',
    flag: '--require-auth',
    type: 'boolean',
    description: 'refuse sessions without an accepted identity',
  },
  {
    name: 'authUsersFile',
    flag: '--auth-users-file <file>',
    type: 'string',
    description: 'users that --require-auth accepts, a line user:password each',
  },
  {
    name: 'saslUsersFile',
    flag: '--sasl-users-file <file>',
    type: 'string',
    description: 'users of SASL DIGEST-MD5, a line user:password each (no SASL)',
  },
  {
    name: 'containerCheckMs',
    flag: '--container-check-ms <ms>',
    type: 'number',
    description: 'how often containers and TTL znodes are looked through (60000)',
  },
  {
    name: 'enforceQuota',
    flag: '--enforce-quota',
    type: 'boolean',
    description: 'refuse what a hard quota forbids',
  },
  {
    name: 'ttlNodes',
    flag: '--no-ttl-nodes',
    type: 'boolean',
    description: 'refuse znodes with a time to live',
  },
  {
    name: 'readOnly',
    flag: '--no-read-only',
    type: 'boolean',
    description: 'without a quorum serve nobody, not even clients that ask to read only',
  },
  {
    name: 'maxPacketBytes',
    flag: '--max-packet-bytes <bytes>',
    type: 'number',
    description: 'largest packet of a client, and what a znode can hold (1048575)',
  },
  {
    name: 'maxReplyBytes',
    flag: '--max-reply-bytes <bytes>',
    type: 'number',
    description: 'largest reply to a read (67108864)',
  },
  {
    name: 'maxTotalOutputBytes',
    flag: '--max-total-output-bytes <bytes>',
    type: 'number',
    description: 'unsent output of all connections beyond which large reads are refused (268435456)',
  },
  {
    name: 'maxDataBytes',
    flag: '--max-data-bytes <bytes>',
    type: 'number',
    description:
      'memory of all znodes, about, beyond which the tree does not grow; the least of all voters counts (half of the heap limit)',
  },
  {
    name: 'maxWatchBytes',
    flag: '--max-watch-bytes <bytes>',
    type: 'number',
    description: 'paths of the watches of one connection, and 256 for each watch (67108864)',
  },
  {
    name: 'maxTotalWatchBytes',
    flag: '--max-total-watch-bytes <bytes>',
    type: 'number',
    description: 'the same of all connections (268435456)',
  },
  {
    name: 'maxConnections',
    flag: '--max-connections <number>',
    type: 'number',
    description: 'connections at once (20000)',
  },
  {
    name: 'maxConnectionsPerAddress',
    flag: '--max-connections-per-address <number>',
    type: 'number',
    description: 'the same, of one address',
  },
  {
    name: 'allowedOrigins',
    flag: '--allowed-origins <list>',
    type: 'list',
    description: 'origins of web pages that may connect, https://app.example,… or self (none)',
  },
  {
    name: 'allowedHosts',
    flag: '--allowed-hosts <list>',
    type: 'list',
    description: 'further host names under which a browser may reach this member (none)',
  },
  {
    name: 'handshakeMs',
    flag: '--handshake-ms <ms>',
    type: 'number',
    description: 'time that a connection has to say who it is (10000)',
  },
  {
    name: 'snapshotTxns',
    flag: '--snapshot-txns <number>',
    type: 'number',
    description: 'transactions between snapshots (100000, or as many as there are znodes)',
  },
  {
    name: 'backupDir',
    flag: '--backup-dir <directory>',
    type: 'string',
    description: 'directory for backups that this member takes by itself (none are taken)',
  },
  {
    name: 'backupEvery',
    flag: '--backup-every <ms>',
    type: 'number',
    description: 'time between two of them (86400000, a day)',
  },
  {
    name: 'backupKeep',
    flag: '--backup-keep <number>',
    type: 'number',
    description: 'how many of them stay (7)',
  },
  {
    name: 'logLevel',
    flag: '--log-level <level>',
    type: 'string',
    description: `one of ${LOG_LEVELS.join(', ')} (info)`,
  },
];

/** `QUORATE_` and the name in capitals: `tickMs` is `QUORATE_TICK_MS`. */
export function environmentName(name: string): string {
  return `QUORATE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

export interface SettingSources {
  /** Given on the command line. */
  readonly flags: Readonly<Record<string, SettingValue | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a JSON file; `QUORATE_CONFIG` if it is left out. */
  readonly configFile?: string | undefined;
}

/** A flag goes before the environment, the environment before the file. Throws `ConfigurationError` naming where a wrong value stands. */
export function resolveSettings({ flags, environment, configFile }: SettingSources): ServeSettings {
  const file = readConfigFile(configFile ?? environment.QUORATE_CONFIG);
  const settings: Record<string, SettingValue> = {};
  for (const { name, type, flag } of SETTINGS) {
    const variable = environmentName(name);
    const candidates = [
      { value: flags[name], from: flag.split(' ')[0]! },
      { value: environment[variable], from: variable },
      { value: file[name], from: `"${name}" in the configuration file` },
    ];
    const chosen = candidates.find(({ value }) => value !== undefined);
    if (chosen !== undefined) settings[name] = convert(chosen.from, chosen.value, type);
  }
  requireKnownVariables(environment);
  if (settings.ensemble !== undefined && settings.id === undefined) {
    throw new ConfigurationError(
      'id',
      'it is missing beside an ensemble',
      'Give --id, QUORATE_ID, or "id" in the file: the number that this member has in the ensemble.',
    );
  }
  const { logLevel = 'info', data } = settings;
  if (data === undefined || data === '') {
    throw new ConfigurationError(
      'data',
      'it is missing',
      'Give --data, QUORATE_DATA, or "data" in the file.',
    );
  }
  if (!LOG_LEVELS.includes(logLevel as LogLevel)) {
    throw new ConfigurationError(
      'logLevel',
      `${String(logLevel)} is unknown`,
      `Give one of ${LOG_LEVELS.join(', ')}.`,
    );
  }
  return { ...settings, logLevel } as unknown as ServeSettings;
}

/** Of the commands that ask an ensemble, and the file of settings. */
const OTHER_VARIABLES = ['QUORATE_CONFIG', 'QUORATE_CONNECT', 'QUORATE_AUTH', 'QUORATE_TLS_SERVER_NAME'];

/** Refuses a variable that is nearly one of a setting: it was meant, and would be ignored. Others may be for somebody else. */
function requireKnownVariables(environment: SettingSources['environment']): void {
  const known = [...SETTINGS.map(({ name }) => environmentName(name)), ...OTHER_VARIABLES];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('QUORATE_') || known.includes(name)) continue;
    const meant = known.find((other) => isNearly(name, other));
    if (meant === undefined) continue;
    throw new ConfigurationError(name, 'there is no setting of this name', `Did you mean ${meant}?`);
  }
}

/** The same letters but for underscores, or one letter added, left out or replaced. */
function isNearly(one: string, other: string): boolean {
  const [a, b] = [one.replaceAll('_', ''), other.replaceAll('_', '')];
  if (a === b) return true;
  if (Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}

function convert(from: string, value: unknown, type: Setting['type']): SettingValue {
  if (typeof value === type) return value as SettingValue;
  if (type === 'list') return listOf(from, value);
  const text = typeof value === 'string' ? value.trim() : '';
  if (type === 'number' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(?:true|1|yes)$/i.test(text)) return true;
  if (type === 'boolean' && /^(?:false|0|no)$/i.test(text)) return false;
  const wanted = type === 'number' ? 'a whole number' : type === 'boolean' ? 'true or false' : 'text';
  // A text of wrong type may be a secret.
  const given = type === 'string' ? 'the value' : JSON.stringify(value);
  throw new ConfigurationError(from, `${given} is not ${wanted}`, `Give ${wanted}.`);
}

function listOf(from: string, value: unknown): readonly string[] {
  const items: unknown = typeof value === 'string' ? value.split(',') : value;
  const isList = Array.isArray(items) && items.every((item): item is string => typeof item === 'string');
  if (isList) return items.map((item) => item.trim()).filter((item) => item !== '');
  const wanted = 'a list of texts';
  throw new ConfigurationError(
    from,
    `${JSON.stringify(value)} is not ${wanted}`,
    `Give ${wanted}, as in "a,b".`,
  );
}

function readConfigFile(path: string | undefined): Readonly<Record<string, unknown>> {
  if (path === undefined || path === '') return {};
  const content = parse(path);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigurationError(
      'config',
      `${path} holds no JSON object`,
      'Give {"data": "…", "port": 7300, …}.',
    );
  }
  const known = SETTINGS.map(({ name }) => name as string);
  const unknown = Object.keys(content).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ConfigurationError(
      'config',
      `${path} sets "${unknown}", which is unknown`,
      `Known: ${known.join(', ')}.`,
    );
  }
  return content as Readonly<Record<string, unknown>>;
}

function parse(path: string): unknown {
  try {
    return parseJson(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError('config', `${path} cannot be read: ${why}`, 'Give the path of a JSON file.');
  }
}
