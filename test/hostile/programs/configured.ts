/** An application with a configuration that has a secret: `configured.js CONNECT DIRECTORY`. Prints its events and its log. */
import { Application, Config, type Logger } from '../../../framework/index.js';

const [, , connect = '', directory = ''] = process.argv;
const password = { type: 'string', secret: true, pattern: '^[a-z0-9]*$' } as const;

@Config({ name: 'smtp', schema: { type: 'object', properties: { host: { type: 'string' }, password } } })
class Smtp {
  host = 'localhost';
  password = '';
}

function print(...parts: readonly unknown[]): void {
  const text = (_key: string, value: unknown): unknown => {
    if (value instanceof Error) return value.message;
    return typeof value === 'bigint' ? String(value) : value;
  };
  console.log(JSON.stringify(parts, text));
}

const logger: Logger = { debug: print, info: print, warn: print, error: print, child: () => logger };
const app = await Application.start({
  connect,
  declare: [Smtp],
  lastKnownGood: directory,
  logger,
  hooks: { event: (event) => print(event.type, event) },
});
let last = '';
setInterval(() => {
  const { host } = app.get(Smtp);
  if (host !== last) print(`host ${(last = host)}`);
}, 50);
