import { resolve } from 'node:path';
import {
  connect as connectClient,
  createClient,
  type Client,
  type ClientOptions,
  type ConnectOptions,
} from '../core/client/index.js';
import {
  atCallerWithCauses,
  describeValue,
  QuorateError,
  withoutCredentials,
} from '../core/runtime/index.js';
import { Embedded } from '../core/server/index.js';

/** Where sessions come from. */
export interface Engine {
  /** A client that connects by itself; whoever asked for it closes it. */
  createClient(options: ClientOptions): Client;
  /** Called when every client made here is closed. */
  close(): Promise<void>;
}

/** A connect string, an engine, or a client that was made elsewhere. */
export type ConnectTarget = string | Engine | Client;

/** One client of an engine. */
export interface OpenEngine {
  readonly client: Client;
  /** Ends the session, unless the client was made elsewhere. */
  close(): Promise<void>;
}

const FORMS =
  'embedded:, embedded:./directory, ws://host:7300, wss://host:7300, zk://host:2181 or zks://host:2281 (embedded:?members=3 for three members)';

/** Members of this process with a data directory: one ensemble for each directory, shared by all who name it. */
const sharedMembers = new Map<
  string,
  { users: number; readonly count: number; readonly member: Promise<Embedded> }
>();
const closingMembers = new Map<string, Promise<void>>();

/** What a connect string comes down to. */
interface Endpoint {
  readonly url: string;
  readonly dialer?: NonNullable<ClientOptions['dialer']>;
  close(): Promise<void>;
}

/**
 * Opens a client by what a connect string names. `embedded:` is a member of its own in memory, gone when the client
 * closes; `embedded:./data` one that keeps its data in a directory and is shared within the process. With
 * `?members=3` behind it, it is an ensemble of three.
 * @throws QuorateError `ENGINE_UNKNOWN` for a scheme that no engine has, or an option that none has.
 */
export async function openEngine(target: ConnectTarget, options: ClientOptions): Promise<OpenEngine> {
  if (typeof target !== 'string') {
    checkTarget(target);
    if (!('createClient' in target)) return { client: target, close: async () => undefined };
    const client = target.createClient(options);
    return { client, close: () => client.close() };
  }
  const endpoint = await endpointOf(target, options);
  try {
    const client = createClient(endpoint.url, { ...options, dialer: endpoint.dialer });
    return { client, close: () => closeBoth(client, endpoint) };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/**
 * A session client of any engine: `embedded:`, `embedded:./data`, `ws://…`, `wss://…`, `zk://…`, `zks://…`. What was started for it ends
 * when it is closed. Rejects with `ConnectTimeoutError` when no server accepted a session in time, or with the
 * signal's reason.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  try {
    return await connectTo(url, options);
  } catch (error) {
    throw atCallerWithCauses(error, connect);
  }
}

async function connectTo(url: string, options: ConnectOptions): Promise<Client> {
  const endpoint = await endpointOf(url, options);
  try {
    const client = await connectClient(endpoint.url, {
      ...options,
      dialer: endpoint.dialer ?? options.dialer,
    });
    const closeClient = client.close.bind(client);
    const close = (): Promise<void> => closeBoth({ close: closeClient }, endpoint);
    return Object.assign(client, { close, [Symbol.asyncDispose]: close });
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

async function closeBoth(client: Pick<Client, 'close'>, endpoint: Endpoint): Promise<void> {
  await client.close();
  await endpoint.close();
}

/** Only a program without types can give anything else than an engine or a client. */
function checkTarget(target: Engine | Client): void {
  const methods: readonly string[] = ['createClient', 'onState'];
  const given: unknown = target;
  const isTarget =
    typeof given === 'object' &&
    given !== null &&
    methods.some((name) => typeof (given as Readonly<Record<string, unknown>>)[name] === 'function');
  if (!isTarget) throw unknownEngine(target);
}

async function endpointOf(target: string, options: ClientOptions): Promise<Endpoint> {
  if (typeof target !== 'string') throw unknownEngine(target);
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(target.trim()) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'ws':
    case 'wss':
    case 'zk':
    case 'zks':
      return { url: target, close: async () => undefined };
    case 'embedded':
      return embeddedEndpoint(target, rest!, options);
    default:
      throw unknownEngine(target);
  }
}

async function embeddedEndpoint(target: string, rest: string, options: ClientOptions): Promise<Endpoint> {
  const [, directory = '', members = '1'] = /^([^?]*)(?:\?members=(\d))?$/.exec(rest) ?? [];
  if (directory === '' && !/^(?:\?members=\d)?$/.test(rest)) throw unknownEngine(target);
  const count = Number(members);
  if (directory === '') return memberEndpoint(await startMember(options, count));
  return sharedEndpoint(resolve(directory), count, options);
}

function unknownEngine(target: unknown): QuorateError {
  const hint = target === undefined ? ' (is the environment variable set that it comes from?)' : '';
  const shown = typeof target === 'string' ? withoutCredentials(target) : target;
  return new QuorateError(
    'ENGINE_UNKNOWN',
    `connect is ${describeValue(shown)}, which names no engine${hint}: write ${FORMS}`,
    { fields: { connect: String(shown) } },
  );
}

function startMember(
  { clock, random, logger }: ClientOptions,
  members: number,
  data?: string,
): Promise<Embedded> {
  return Embedded.start({
    members,
    ...(clock && { clock }),
    ...(random && { random }),
    ...(logger && { logger }),
    ...(data !== undefined && { data }),
  });
}

function memberEndpoint(member: Embedded): Endpoint {
  if (member.members.length > 1) {
    return { url: member.url, dialer: member.dialer, close: () => member.close() };
  }
  return {
    url: 'embedded:',
    dialer: { dial: (_address, dialOptions) => member.dialer.dial(member.address, dialOptions) },
    close: () => member.close(),
  };
}

/** The first who names a directory starts its member, with its own clock and logger; the last one to close stops it. */
async function sharedEndpoint(directory: string, count: number, options: ClientOptions): Promise<Endpoint> {
  // Whoever closed it last may not be done: the directory belongs to one member at a time.
  for (let last = closingMembers.get(directory); last !== undefined; last = closingMembers.get(directory)) {
    await last.catch(() => undefined);
  }
  const shared = sharedMembers.get(directory) ?? {
    users: 0,
    count,
    member: startMember(options, count, directory),
  };
  if (shared.count !== count) {
    throw new QuorateError(
      'ENGINE_UNKNOWN',
      `${directory} is in use with ${shared.count} members, and cannot be opened with ${count}`,
      { fields: { directory } },
    );
  }
  sharedMembers.set(directory, shared);
  shared.users++;
  const letGo = async (): Promise<void> => {
    if (--shared.users > 0) return;
    sharedMembers.delete(directory);
    const closing = shared.member.then((member) => member.close());
    closingMembers.set(directory, closing);
    await closing.finally(() => closingMembers.delete(directory));
  };
  try {
    let closed: Promise<void> | undefined;
    return { ...memberEndpoint(await shared.member), close: () => (closed ??= letGo()) };
  } catch (error) {
    await letGo();
    throw error;
  }
}
