/** The errors that people meet in the first minutes: what is wrong, where, and what to do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Application,
  Client,
  Config,
  ConfigStore,
  connect,
  InjectionError,
  inject,
  LeaderOnly,
  Locked,
  Locks,
  provide,
  QuorateError,
  Queues,
  Service,
  Sharded,
  silentLogger,
  token,
  Worker,
  type ApplicationOptions,
  type Job,
} from '../../framework/index.js';
import { serve } from '../../core/server/index.js';
import { Fleet, onFleet } from './fleet.js';

/** Types refuse these; plain JavaScript, `any` and environment variables do not. */
async function refusal(call: () => unknown): Promise<QuorateError> {
  try {
    await call();
  } catch (error) {
    assert.instance(error, QuorateError, `${String(error)} is no typed error`);
    return error as QuorateError;
  }
  return assert.unreachable('it was not refused') as never;
}

const WRONG_OPTIONS: readonly (readonly [options: unknown, message: RegExp])[] = [
  [undefined, /^Application\.start: the argument must be an object with connect and declare, not undefined/],
  [
    { conect: 'embedded:', declare: [] },
    /^Application\.start: each option must be one of connect, declare, .*, not "conect" \(did you mean connect\?\)$/,
  ],
  [{ declare: [] }, /connect must be a connect string .*environment variable.*, not undefined/],
  [{ connect: undefined, declare: [] }, /connect must be a connect string/],
  [{ connect: 5, declare: [] }, /connect is 5, which names no engine/],
  [{ connect: {}, declare: [] }, /connect is an object, which names no engine/],
  [{ connect: 'embedded:' }, /declare must be an array of decorated classes and modules, not undefined/],
  [{ connect: 'embedded:', declare: class A {} }, /declare must be an array .*, not a function/],
  [{ connect: 'embedded:', declare: [undefined] }, /declare\[0\].*circular import/],
  [{ connect: 'embedded:', declare: [], use: {} }, /use must be an array, not an object/],
  [{ connect: 'embedded:', declare: [], connectTimeoutMs: '5s' }, /connectTimeoutMs must be .*, not "5s"/],
  [{ connect: 'embedded:', declare: [], drainDeadlineMs: -1 }, /drainDeadlineMs must be .*, not -1/],
  [
    { connect: 'embedded:', declare: [], logger: () => undefined },
    /logger must be an object with the methods/,
  ],
  [{ connect: 'embedded:', declare: [], hooks: { started: 1 } }, /hooks\.started must be a function, not 1/],
  [{ connect: 'embedded:', declare: [], id: '' }, /id must be a text that is not empty/],
];

for (const [options, message] of WRONG_OPTIONS) {
  test(`Application.start refuses wrong options: ${message.source.slice(0, 60)}`, async () => {
    const given = options === undefined ? undefined : { ...(options as object) };
    const error = await refusal(() => Application.start(given as unknown as ApplicationOptions));
    assert.match(error.message, message);
  });
}

test('a name that resembles an option which is given too is no misspelling, and is left alone', async () => {
  class Plain {
    handle(): void {}
  }
  Worker({ queue: 'a', retries: 1, retry: { attempts: 2 } } as never)(Plain);
  const application = await Application.start({ connect: 'embedded:', declare: [Plain] });
  await application.stop();
});

test('a misspelt option of a decorator is refused at the start, with the options that there are', async () => {
  class Plain {
    handle(): void {}
    run(): void {}
  }
  const untyped = (options: unknown): never => options as never;
  const misspelt: readonly (readonly [decorate: (target: typeof Plain) => void, message: RegExp])[] = [
    [
      Worker(untyped({ queue: 'a', concurency: 4 })),
      /\.concurency: is no option of @Worker \(did you mean concurrency\?\); use queue, schema,/,
    ],
    [Worker(untyped('a')), /gives @Worker no object with options; use queue, schema,/],
    [Worker(untyped(null)), /gives @Worker no object with options/],
    [
      LeaderOnly(untyped({ name: 'a', interval: 5 })),
      /\.interval: is no option of @LeaderOnly.*; use name, every,/,
    ],
    [
      Service(untyped({ name: 'a', prot: 80 })),
      /\.prot: is no option of @Service \(did you mean port\?\); use name, port,/,
    ],
    [
      Config(untyped({ name: 'a', shema: {} })),
      /\.shema: is no option of @Config \(did you mean schema\?\); use name, schema,/,
    ],
    [
      Sharded(untyped({ name: 'a', shards: 4, rejoin: 5 })),
      /\.rejoin: is no option of @Sharded.*; use name,/,
    ],
  ];
  for (const [decorate, message] of misspelt) {
    const declared = class extends Plain {};
    decorate(declared);
    const error = await refusal(() => Application.start({ connect: 'embedded:', declare: [declared] }));
    assert.is(error.code, 'DECLARATION_INVALID');
    assert.match(error.message, message);
  }
});

test('connect refuses what is no connect string, and asks for the environment variable when it is undefined', async () => {
  for (const url of [undefined, null, 5, {}]) {
    const error = await refusal(() => connect(url as string));
    assert.is(error.code, 'ENGINE_UNKNOWN');
    if (url === undefined) assert.match(error.message, 'environment variable');
  }
});

test(
  'Application.on refuses a type that no event has, and a listener that is no function',
  onFleet(async (fleet) => {
    const { application } = await fleet.run({ declare: [] });
    const type = await refusal(() => application.on('job-failled' as 'job-failed', () => undefined));
    assert.match(
      type.message,
      /^Application\.on: the type of event must be one of .*\(did you mean job-failed\?\)$/,
    );
    const listener = await refusal(() => application.on('job-failed', 5 as never));
    assert.match(listener.message, /the listener must be a function, not 5/);
  }),
);

test(
  'app.get gives what is built in and provided from the hook connected on, and says when classes can be had',
  onFleet(async (fleet) => {
    const given = token<string>('given');
    @Service({ name: 'billing' })
    class Billing {}
    const seen: string[] = [];
    await fleet.run({
      declare: [Billing],
      provide: [provide(given, 'x')],
      use: [
        {
          name: 'early',
          setup: ({ application }) => {
            const { code, message } = failureOf(() => application.get(Queues));
            assert.is(code, 'NOT_CONNECTED');
            assert.match(message, 'app.get(Queues)');
          },
        },
      ],
      hooks: {
        connected: async (application) => {
          await application.get(Queues).of('early').enqueue(1);
          assert.is(application.get(Client), application.client);
          assert.is(application.get(given), 'x');
          const { code, message } = failureOf(() => application.get(Billing));
          assert.is(code, 'NOT_BUILT');
          assert.match(message, 'hook started');
          seen.push('connected');
        },
        started: (application) => {
          assert.instance(application.get(Billing), Billing);
          seen.push('started');
        },
      },
    });
    assert.equal(seen, ['connected', 'started']);
  }),
);

test(
  'app.get refuses what is no class and no token, and a token that nothing provides',
  onFleet(async (fleet) => {
    const { application } = await fleet.run({ declare: [] });
    const unprovided = token<string>('Database');
    const expected: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /not undefined; an undefined class is usually a circular import/],
      ['Queues', /not "Queues"/],
      [null, /not null/],
      [unprovided, /Database: nothing provides this token: give its value with provide/],
    ];
    for (const [wanted, message] of expected) {
      const error = await refusal(() => application.get(wanted as typeof Queues));
      assert.instance(error, InjectionError);
      assert.match(error.message, message);
    }
  }),
);

test(
  'the first calls of queues, locks and configuration refuse wrong arguments by name',
  onFleet(async (fleet) => {
    const { application } = await fleet.run({ declare: [] });
    const queues = application.get(Queues);
    const queue = queues.of('q');
    const locks = application.get(Locks);
    const store = application.get(ConfigStore);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const untyped = (value: unknown): never => value as never;
    const nothing = (): void => undefined;
    const calls: readonly (readonly [code: string, call: () => unknown])[] = [
      ['INVALID_ARGUMENT', () => queues.of(untyped(undefined))],
      ['INVALID_ARGUMENT', () => queues.of(untyped({}))],
      ['INVALID_NAME', () => queues.of('')],
      ['JOB_NOT_ENCODABLE', () => queue.enqueue(circle)],
      ['JOB_NOT_ENCODABLE', () => queue.enqueue(5n)],
      ['JOB_NOT_ENCODABLE', () => queue.enqueue(() => 1)],
      ['JOB_NOT_ENCODABLE', () => queue.enqueue(Symbol('a'))],
      ['JOB_NOT_ENCODABLE', () => queue.enqueue(undefined)],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped(null))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ delayMs: '5' }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ delay: 5000 }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ notBefore: 'tomorrow' }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ key: 5 }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ children: [1] }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueue(1, untyped({ signal: {} }))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueueAll(untyped(5))],
      ['INVALID_JOB_OPTIONS', () => queue.enqueueAll([1, 2], { key: 'both' })],
      ['INVALID_NAME', () => locks.run(untyped(undefined), nothing)],
      ['INVALID_NAME', () => locks.fair(untyped(5))],
      ['INVALID_ARGUMENT', () => locks.run('l', untyped(undefined))],
      ['INVALID_ARGUMENT', () => locks.run('l', nothing, untyped(null))],
      ['INVALID_ARGUMENT', () => locks.run('l', nothing, untyped({ mode: 'both' }))],
      ['INVALID_ARGUMENT', () => locks.run('l', nothing, untyped({ timeoutMs: '1s' }))],
      ['CONFIG_NAME_INVALID', () => store.read(untyped(undefined))],
      ['CONFIG_NAME_INVALID', () => store.write(untyped(undefined), {})],
      ['CONFIG_NAME_INVALID', () => store.history(untyped(5))],
      ['CONFIG_NAME_INVALID', () => store.diff('a/b')],
      ['CONFIG_REFUSED', () => store.write('c', undefined)],
      ['CONFIG_REFUSED', () => store.write('c', 'EUR')],
      ['CONFIG_REFUSED', () => store.write('c', circle)],
      ['CONFIG_REVISION_UNKNOWN', () => store.rollback('c')],
      ['CONFIG_REVISION_UNKNOWN', () => store.rollback('c', untyped('x'))],
    ];
    for (const [code, call] of calls) {
      const error = await fleet.wait(refusal(call));
      assert.is(error.code, code, `${call.toString()}: ${error.message}`);
    }
    assert.match(
      (await fleet.wait(refusal(() => queue.enqueue(() => 1)))).message,
      /queue q .*it is a function, which JSON cannot hold/,
    );
    const { message } = await fleet.wait(refusal(() => store.rollback('c')));
    assert.is(message, "There is no earlier revision of configuration 'c'. None is kept.");
  }),
);

test(
  'a configuration znode that is not JSON is refused by name, without its data, and blocks no other configuration',
  onFleet(async (fleet) => {
    @Config({ name: 'shop' })
    class Shop {
      currency = 'EUR';
    }
    const { application } = await fleet.run({ declare: [Shop] });
    const store = application.get(ConfigStore);
    await fleet.wait(application.client.create('/config', null).catch(() => undefined));
    await fleet.wait(application.client.create('/config/broken', '{"password": hunter2'));
    const error = await fleet.wait(refusal(() => store.read('broken')));
    assert.is(error.code, 'CONFIG_UNREADABLE');
    assert.match(error.message, '/config/broken');
    assert.not.match(error.message, 'hunter2');
    await fleet.wait(store.write('shop', { currency: 'USD' }));
  }),
);

test('a handler that throws is reported with queue, job, attempt and when it is retried', async () => {
  const lines: {
    readonly level: string;
    readonly message: string;
    readonly fields: Record<string, unknown>;
  }[] = [];
  const note =
    (level: string) =>
    (message: string, fields = {}): void =>
      void lines.push({ level, message, fields });
  const logger = { ...silentLogger, warn: note('warn'), error: note('error'), child: () => logger };
  @Worker({ queue: 'greetings', retries: 1, backoffMs: () => 5000 })
  class Greeter {
    handle(_job: Job): void {
      throw new TypeError('a bug');
    }
  }
  const fleet = await Fleet.start();
  try {
    const { application } = await fleet.run({ declare: [Greeter], logger });
    const events: (Date | undefined)[] = [];
    application.on('job-failed', ({ retryAt }) => void events.push(retryAt));
    const id = await fleet.wait(application.get(Queues).of('greetings').enqueue(1));
    const failures = () => lines.filter(({ message }) => message.startsWith('A job failed'));
    await fleet.until(() => failures().length === 1);
    const [first] = failures();
    assert.is(first!.level, 'warn');
    const { error, retryInMs, ...facts } = first!.fields;
    assert.equal(facts, { queue: 'greetings', id, attempt: 1 });
    assert.is(retryInMs, 5000);
    assert.instance(error, TypeError);
    assert.instance(events[0], Date);

    await fleet.until(() => failures().length === 2);
    assert.is(failures()[1]!.level, 'error');
    assert.is(failures()[1]!.fields['attempt'], 2);
    assert.is(events[1], undefined);
  } finally {
    await fleet.end();
  }
});

test('warnings go to the given logger only: silentLogger silences them', async () => {
  const { warn, error } = console;
  const written: string[] = [];
  Object.assign(console, {
    warn: (text: string) => written.push(text),
    error: (text: string) => written.push(text),
  });
  const start = (logger?: typeof silentLogger): Promise<unknown> =>
    Application.start({ connect: 'ws://127.0.0.1:9', declare: [], connectTimeoutMs: 1500, logger }).catch(
      (reason: unknown) => reason,
    );
  try {
    await start(silentLogger);
    assert.equal(written, []);
    await start();
    assert.is(written.length, 1);
    assert.match(
      written[0]!,
      /^\[quorate\] warning: Could not connect .* addresses=ws:\/\/127\.0\.0\.1:9 .*ECONNREFUSED/,
    );
  } finally {
    Object.assign(console, { warn, error });
  }
});

test('a start without a server names the address and the cause', async () => {
  const error = await refusal(() =>
    Application.start({
      connect: 'ws://127.0.0.1:9',
      declare: [],
      connectTimeoutMs: 500,
      logger: silentLogger,
    }),
  );
  assert.is(error.code, 'START_TIMEOUT');
  assert.match(
    error.message,
    /no server of ws:\/\/127\.0\.0\.1:9 answered within 500 ms \(.*ECONNREFUSED 127\.0\.0\.1:9/,
  );
});

/** The first frame that is not Node's: a task of its own may call what continues. */
function firstFrameOf(stack: string, message: string): string {
  const frames = stack.slice(stack.indexOf(message) + message.length).split('\n');
  return frames.find((frame) => frame.includes(' at ') && !/\bnode:/.test(frame)) ?? '';
}

test('the stack of an error of a start, or of connect, begins with the code of whoever called', async () => {
  const calls = [
    () => Application.start({ connect: 'http://a', declare: [] }),
    () =>
      Application.start({
        connect: 'ws://127.0.0.1:9',
        declare: [],
        connectTimeoutMs: 50,
        logger: silentLogger,
      }),
    () => connect('http://a'),
  ];
  for (const call of calls) {
    const { stack = '', message } = await refusal(async () => await call());
    const first = firstFrameOf(stack, message);
    assert.match(first, /first-errors\.test/, stack);
  }
});

test('the causes of an error of a start show no frame of this package', async () => {
  const error = await refusal(() =>
    Application.start({
      connect: 'ws://127.0.0.1:9',
      declare: [],
      connectTimeoutMs: 50,
      logger: silentLogger,
    }),
  );
  assert.instance(error.cause, QuorateError);
  const cause = error.cause as QuorateError;
  assert.match(cause.message, 'ECONNREFUSED');
  assert.is(cause.stack, `QuorateError: ${cause.message}`);
  assert.not.match((cause.cause as Error).stack!, /\n\s+at /);
});

test('what a server refuses is an error whose stack begins with the code of whoever called', async () => {
  await using client = await connect('embedded:');
  const calls = [
    async () => await client.create('/a/b'),
    async () => await client.getData('/a'),
    async () => await client.delete('/a'),
    async () => await client.multi([{ type: 'delete', path: '/a' }]),
  ];
  for (const call of calls) {
    const { stack = '', message } = await refusal(async () => await call());
    assert.match(firstFrameOf(stack, message), /first-errors\.test/, stack);
  }
});

test(
  'app.get refuses a class with a decorator that is not declared, since it would not run',
  onFleet(async (fleet) => {
    @Service({ name: 'forgotten' })
    class Forgotten {}
    class Helper {}
    const { application } = await fleet.run({ declare: [] });
    const error = await refusal(() => application.get(Forgotten));
    assert.is(
      error.message,
      'cannot build Forgotten: @Service Forgotten is not declared, so it does not run; add it to declare of Application.start',
    );
    assert.instance(application.get(Helper), Helper);
  }),
);

test('a port of the health endpoint that is taken is named, with what to do', async () => {
  const health = { port: 0, host: '127.0.0.1' };
  const started = await Application.start({ connect: 'embedded:', declare: [], health });
  try {
    const port = started.healthPort!;
    const error = await refusal(() =>
      Application.start({ connect: 'embedded:', declare: [], health: { ...health, port } }),
    );
    assert.is(error.code, 'LISTEN_FAILED');
    assert.match(
      error.message,
      new RegExp(`/readyz at 127.0.0.1:${port}: another process uses it. Give another health.port`),
    );
  } finally {
    await started.stop();
  }
});

test('a start with an identity that is refused rejects with AUTH_FAILED and logs one line', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-refused-'));
  const users = join(directory, 'users');
  writeFileSync(users, 'shop:right', { mode: 0o600 });
  const data = join(directory, 'data');
  const member = await serve({
    data,
    port: 0,
    requireAuth: true,
    authUsersFile: users,
    logger: silentLogger,
  });
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const logger: typeof silentLogger = { ...silentLogger, warn: note, error: note, child: () => logger };
  try {
    const auth = [{ scheme: 'digest', auth: 'shop:wrong' }];
    const error = await refusal(() =>
      Application.start({ connect: member.address, declare: [], auth, logger }),
    );
    assert.is(error.code, 'AUTH_FAILED', error.message);
    assert.equal(lines, ['the client closes itself']);
  } finally {
    await member.close();
    rmSync(directory, { recursive: true });
  }
});

/** What a compiler makes of `@Locked` on a method without experimentalDecorators: it gets the method and a context. */
function lockedAsStandard(target: { readonly prototype: object }, member: string): void {
  const method: unknown = Reflect.get(target.prototype, member);
  const decorate = Locked('till') as unknown as (method: unknown, context: object) => void;
  decorate(method, { kind: 'method', name: member, static: false, private: false });
}

test(
  '@Locked that was compiled as a standard decorator is refused at the start, by class and member',
  onFleet(async (fleet) => {
    class Till {
      async book(): Promise<void> {}
    }
    lockedAsStandard(Till, 'book');
    class Sub extends Till {}
    @Service({ name: 'shop' })
    class Shop {
      constructor(@inject(Sub) readonly till: Sub) {}
    }
    Service({ name: 'till' })(Till);
    for (const declared of [Till, Shop]) {
      const error = await fleet.wait(refusal(() => fleet.machine().start({ declare: [declared] })));
      assert.is(error.code, 'DECLARATION_INVALID');
      assert.match(
        error.message,
        /(?:Till|Sub)\.book: @Locked was compiled as a standard decorator.*experimentalDecorators/,
      );
    }
  }),
);

test(
  '@Locked on an instance given with provide is refused at the start; a double with a method of its own is not',
  onFleet(async (fleet) => {
    @Service({ name: 'till' })
    class Till {
      @Locked('till')
      async book(): Promise<string> {
        return 'real';
      }
    }
    const named = token<Till>('till');
    for (const given of [provide(Till, new Till()), provide(named, new Till())]) {
      const error = await fleet.wait(
        refusal(() => fleet.machine().start({ declare: [Till], provide: [given] })),
      );
      assert.match(
        error.message,
        /Till\.book: @Locked takes no lock on an instance that was given with provide/,
      );
    }
    const double = Object.assign(new Till(), { book: async () => 'double' });
    const { application } = await fleet.run({ declare: [Till], provide: [provide(Till, double)] });
    assert.is(await application.get(Till).book(), 'double');
  }),
);

function failureOf(call: () => unknown): QuorateError {
  try {
    call();
  } catch (error) {
    return error as QuorateError;
  }
  throw new Error('it did not fail');
}

test.run();
