import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Constructor } from '../../framework/constructor.js';
import { inject, token, type Token } from '../../framework/container.js';
import { DeclarationError } from '../../framework/declaration-error.js';
import { Config } from '../../framework/decorators/config.js';
import { LeaderOnly } from '../../framework/decorators/leader-only.js';
import { Locked } from '../../framework/decorators/locked.js';
import { Service } from '../../framework/decorators/service.js';
import { Worker } from '../../framework/decorators/worker.js';
import { explore } from '../../framework/explorer.js';

const nothingProvided = (): boolean => false;

/** The messages of everything that is wrong with a list of classes. */
function problemsOf(
  declared: readonly unknown[],
  isProvided: (of: Token) => boolean = nothingProvided,
): string[] {
  try {
    explore(declared as Constructor[], isProvided);
    return [];
  } catch (error) {
    if (!(error instanceof DeclarationError)) throw error;
    return error.problems.map(({ className, member, problem, remedy }) => {
      assert.ok(remedy.length > 0, 'every problem has a remedy');
      assert.ok(error.message.includes(remedy), 'the message holds the remedy');
      return `${className}${member === undefined ? '' : `.${member}`}: ${problem}`;
    });
  }
}

/** Puts a decorator on a class that the compiler would refuse. */
function decorated(decorator: (target: never) => void, target: Constructor): Constructor {
  decorator(target as never);
  return target;
}

test('a plan holds what the runners need, by kind', () => {
  @Config({ name: 'billing' })
  class BillingConfig {}
  @Service({ name: 'billing', port: 8080 })
  class BillingService {
    constructor(@inject(BillingConfig) readonly config: BillingConfig) {}
  }
  @LeaderOnly({ name: 'close-books', every: '30s' })
  class CloseBooks {
    run(): void {}
  }
  @Worker({ queue: { name: 'invoices', schema: { type: 'string' } }, concurrency: 8, retries: 2 })
  class InvoiceWorker {
    handle(): void {}
  }

  const plan = explore([BillingConfig, BillingService, CloseBooks, InvoiceWorker], nothingProvided);

  assert.equal(
    plan.configs.map(({ name, target }) => [name, target]),
    [['billing', BillingConfig]],
  );
  assert.equal(
    plan.services.map(({ options }) => options.name),
    ['billing'],
  );
  assert.equal(plan.leaderJobs[0]?.schedule, { kind: 'every', intervalMs: 30_000, overlap: 'wait' });
  const worker = plan.workers[0]!;
  assert.equal([worker.queue, worker.concurrency, worker.retries], ['invoices', 8, 2]);
  assert.equal(worker.validate('text'), []);
  assert.equal(worker.validate(1), ['the value must be string']);
});

test('a class without a decorator is refused', () => {
  class Plain {}
  assert.equal(problemsOf([Plain]), ['Plain: is in declare but not decorated']);
});

test('what is no class is refused, and undefined hints at a circular import', () => {
  assert.equal(problemsOf([undefined, { name: 'x' }]), [
    'declare[0]: is undefined, not a class',
    'declare[1]: is an object of Object, not a class',
  ]);
});

test('a class listed twice is refused', () => {
  @Service({ name: 'billing' })
  class Billing {}
  assert.equal(problemsOf([Billing, Billing]), ['Billing: is listed twice in declare']);
});

test('two declarations of one kind under the same name are refused, naming both classes', () => {
  @Service({ name: 'billing' })
  class First {}
  @Service({ name: 'billing' })
  class Second {}
  assert.equal(problemsOf([First, Second]), ["Second.name: @Service 'billing' is also declared by First"]);
});

test('the same name for declarations of different kinds is fine', () => {
  @Config({ name: 'billing' })
  class BillingConfig {}
  @Service({ name: 'billing' })
  class Billing {}
  assert.equal(problemsOf([BillingConfig, Billing]), []);
});

test('names that cannot be a segment of a path are refused', () => {
  for (const name of ['', '.', '..', 'a/b', 'a\u0000b', 'a\u{1f600}', undefined, 7]) {
    const target = decorated(Service({ name: name as string }), class Odd {});
    assert.equal(problemsOf([target]), [`Odd.name: ${JSON.stringify(name)} cannot be a name`]);
  }
  const schemaName = decorated(Config({ name: 'billing.schema' }), class Odd {});
  assert.match(problemsOf([schemaName])[0]!, /^Odd\.name: 'billing\.schema' cannot be a name: the ending/);
});

test('one decorator twice on a class, or configuration mixed with others, is refused', () => {
  @Service({ name: 'one' })
  @Service({ name: 'two' })
  class Twice {}
  @Config({ name: 'one' })
  @Service({ name: 'three' })
  class Mixed {}
  assert.equal(problemsOf([Twice, Mixed]), [
    'Twice: has @Service twice',
    'Mixed: has @Config and another declaration',
  ]);
});

test('a leader job needs a run method', () => {
  const target = decorated(LeaderOnly({ name: 'close-books' }), class CloseBooks {});
  assert.equal(problemsOf([target]), ['CloseBooks.run: is missing']);
});

test('every and cron together are refused, as is a time zone without cron', () => {
  class CloseBooks {
    run(): void {}
  }
  class Other {
    run(): void {}
  }
  decorated(LeaderOnly({ name: 'a', every: 5, cron: '0 3 * * *' } as never), CloseBooks);
  decorated(LeaderOnly({ name: 'b', every: 5, timezone: 'UTC' } as never), Other);
  assert.equal(problemsOf([CloseBooks, Other]), [
    'CloseBooks: @LeaderOnly has every and cron together',
    'Other.timezone: means nothing without cron',
  ]);
});

test('a cron pattern, a time zone or an interval that makes no sense is refused with the reason', () => {
  const refusal = (options: object): string | undefined =>
    problemsOf([
      decorated(
        LeaderOnly({ name: 'job', ...options }),
        class Job {
          run(): void {}
        },
      ),
    ])[0];

  assert.match(refusal({ cron: '61 3 * * *' }) ?? '', /^Job\.cron: cannot be understood: .*61/);
  assert.match(refusal({ cron: 'every day' }) ?? '', /^Job\.cron: cannot be understood/);
  assert.match(refusal({ cron: '0 3 * * *', timezone: 'Mars/Base' }) ?? '', /^Job\.cron: .*Mars\/Base/);
  assert.match(refusal({ every: '5 parsecs' }) ?? '', /^Job\.every: .*5 parsecs/);
  assert.match(refusal({ every: 0 }) ?? '', /^Job\.every: /);
  assert.is(refusal({ cron: '0 3 * * *', timezone: 'Europe/Berlin' }), undefined);
});

test('a worker needs a queue, a handle method and sensible numbers', () => {
  const noQueue = decorated(
    Worker({} as never),
    class NoQueue {
      handle(): void {}
    },
  );
  const noHandle = decorated(Worker({ queue: 'a' }), class NoHandle {});
  const odd = decorated(
    Worker({ queue: 'b', concurrency: 0, retries: -1 }),
    class Odd {
      handle(): void {}
    },
  );
  assert.equal(problemsOf([noQueue, noHandle, odd]), [
    'NoQueue.queue: is missing',
    'NoHandle.handle: is missing',
    'Odd.concurrency: 0 is too few',
    'Odd.retries: -1 makes no sense',
  ]);
});

test('an isolated worker needs a module and no method, takes one job at a time, and has at least one thread', () => {
  const isolated = { module: new URL('file:///render.js') };
  const plain = decorated(Worker({ queue: 'a', isolated }), class Plain {});
  const both = decorated(
    Worker({ queue: 'b', isolated }),
    class Both {
      handle(): void {}
    },
  );
  const batches = decorated(Worker({ queue: 'c', isolated, batch: { size: 2 } } as never), class Batches {});
  const odd = decorated(Worker({ queue: 'd', isolated: { threads: 0 } } as never), class Odd {});
  assert.equal(problemsOf([plain, both, batches, odd]), [
    'Both.handle: is never called, since the jobs are done in threads',
    'Batches.batch: cannot be had with isolated',
    'Odd.isolated.module: is missing',
    'Odd.isolated.threads: 0 is too few',
  ]);
});

test('a schema that is no JSON Schema is refused with the reason of ajv', () => {
  const config = decorated(Config({ name: 'a', schema: { type: 'objct' } }), class A {});
  const strange = decorated(Config({ name: 'b', schema: { typ: 'object' } }), class B {});
  const [first, second] = problemsOf([config, strange]);
  assert.match(first!, /^A\.schema: is not a valid JSON Schema: .*type/);
  assert.match(second!, /^B\.schema: is not a valid JSON Schema: .*unknown keyword: "typ"/);
});

test('a configuration class with constructor parameters is refused', () => {
  class Odd {
    constructor(readonly currency: string) {}
  }
  assert.equal(problemsOf([decorated(Config({ name: 'a' }), Odd)]), ['Odd.constructor: takes parameters']);
});

test('a service whose start is no method, or whose port is none, is refused', () => {
  class Odd {}
  Object.assign(Odd.prototype, { start: 1 });
  decorated(Service({ name: 'a', port: 70_000 }), Odd);
  assert.equal(problemsOf([Odd]), ['Odd.port: 70000 is no port', 'Odd.start: is not a method']);
});

test('@Locked on anything but a method of the instances is refused, also in a class that is only injected', () => {
  class Helper {
    static async shared(): Promise<void> {}
  }
  const descriptor = Object.getOwnPropertyDescriptor(Helper, 'shared');
  Locked('books')(Helper, 'shared', descriptor as never);
  @Service({ name: 'billing' })
  class Billing {
    constructor(@inject(Helper) readonly helper: Helper) {}
    @Locked('')
    async pay(): Promise<void> {}
    @Locked('books', { wait: '5 parsecs' as never })
    async close(): Promise<void> {}
  }
  assert.equal(problemsOf([Billing]).sort(), [
    "Billing.close: wait: '5 parsecs' is no duration: write a number of milliseconds, or '30s', '5m', '1h'",
    'Billing.pay: @Locked has no name',
    'Helper.shared: @Locked is not on a method',
  ]);
});

test('a parameter without a token is refused, unless it has a default', () => {
  @Service({ name: 'a' })
  class Odd {
    constructor(readonly port: number) {}
  }
  @Service({ name: 'b' })
  class Fine {
    constructor(readonly port = 5) {}
  }
  assert.equal(problemsOf([Odd, Fine]), ['Odd.constructor (parameter 0): has no @inject']);
});

test('an undefined token is refused: two files import each other', () => {
  @Service({ name: 'a' })
  class Odd {
    constructor(@inject(undefined as unknown as Constructor) readonly other: object) {}
  }
  assert.equal(problemsOf([Odd]), ['Odd.constructor (parameter 0): @inject was given undefined']);
});

test('a token that nothing is provided for is refused, with the way to it', () => {
  const Database = token<object>('Database');
  class Repository {
    constructor(@inject(Database) readonly database: object) {}
  }
  @Service({ name: 'a' })
  class Billing {
    constructor(@inject(Repository) readonly repository: Repository) {}
  }
  assert.equal(problemsOf([Billing]), [
    'Repository.constructor (parameter 0): nothing is provided for Database (needed by Billing → Repository)',
  ]);
  assert.equal(
    problemsOf([Billing], (of) => of === Database),
    [],
  );
});

test('a decorated class that is injected but not declared is refused', () => {
  @Config({ name: 'billing' })
  class BillingConfig {}
  @Service({ name: 'a' })
  class Billing {
    constructor(@inject(BillingConfig) readonly config: BillingConfig) {}
  }
  assert.equal(problemsOf([Billing]), [
    'Billing.constructor (parameter 0): @Config BillingConfig is not declared',
  ]);
});

test('a circle of dependencies is refused with its chain', () => {
  class C {}
  class B {
    constructor(@inject(C) readonly c: C) {}
  }
  @Service({ name: 'a' })
  class A {
    constructor(@inject(B) readonly b: B) {}
  }
  (inject(A) as (target: unknown, member: undefined, index: number) => void)(C, undefined, 0);
  assert.equal(problemsOf([A]), ['A.constructor: needs itself: A → B → C → A']);
});

test('all problems are reported at once, in one message', () => {
  class Plain {}
  const noRun = decorated(LeaderOnly({ name: 'job' }), class NoRun {});
  try {
    explore([Plain, noRun], nothingProvided);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, DeclarationError);
    assert.is((error as DeclarationError).code, 'DECLARATION_INVALID');
    assert.match(
      (error as DeclarationError).message,
      /^2 declarations cannot work:\n- Plain: .*\n- NoRun\.run: /,
    );
  }
});

test.run();
