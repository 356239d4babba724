import { format } from 'prettier';

/** Of the matrix, and at the same time the kinds of servers. */
export const COLUMNS = ['ZooKeeper, one', 'ZooKeeper, three', 'Quorate, one', 'Quorate, three'] as const;
export type Column = (typeof COLUMNS)[number];

/** How a scenario came out on one kind of servers. */
export interface Cell {
  readonly outcome: 'reference' | 'same' | 'failed' | 'skipped';
  /** Headings in DIFFERENCES.md of differences kept on purpose that occurred. */
  readonly headings: readonly string[];
  /** What went wrong. */
  readonly faults: readonly string[];
}

export interface Row {
  readonly client: string;
  readonly scenario: string;
  readonly cells: Partial<Record<Column, Cell>>;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function countCells(rows: readonly Row[]): Counts {
  const outcomes = rows.flatMap((row) => Object.values(row.cells).map((cell) => cell.outcome));
  const failed = outcomes.filter((outcome) => outcome === 'failed').length;
  const skipped = outcomes.filter((outcome) => outcome === 'skipped').length;
  return { passed: outcomes.length - failed - skipped, failed, skipped };
}

const INTRODUCTION = `# Conformance matrix

Each scenario is run by a client that we did not write, first on Apache ZooKeeper and then on Quorate, on one server and on an
ensemble of three. \`reference\` is what the others are compared with; \`same\` means that every result, error and event came out the
same, in the same order; \`¹\` that a [difference kept on purpose](DIFFERENCES.md) occurred, and no other. This page is written by
\`npm run conformance\`, and continuous integration fails if it is not what that run would write.
`;

/** The matrix as Markdown. */
export function renderMatrix(rows: readonly Row[]): Promise<string> {
  const lines = [
    `| client | scenario | ${COLUMNS.join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(COLUMNS.length)}`,
    ...rows.map((row) => {
      const cells = COLUMNS.map((column) => wordFor(row.cells[column]));
      return `| ${row.client} | ${row.scenario} | ${cells.join(' | ')} |`;
    }),
  ];
  return format(`${INTRODUCTION}\n${lines.join('\n')}\n`, { parser: 'markdown', printWidth: 110 });
}

function wordFor(cell: Cell | undefined): string {
  if (cell === undefined) return '–';
  return cell.headings.length === 0 ? cell.outcome : `${cell.outcome} ¹`;
}
