/** Figures in words, and tables of them. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that `share` of them stay below; they must be sorted. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** With three digits that matter, and a comma for each thousand. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = Number(value.toPrecision(3));
  return (Math.abs(value) >= 1000 ? rounded : value).toLocaleString('en', {
    minimumFractionDigits: digits > 4 ? 4 : digits,
    maximumFractionDigits: digits > 4 ? 4 : digits,
  });
}

/** Median, and from where to where they go if there is more than one. */
export function spread(values: readonly number[]): string {
  if (values.length < 2) return figure(values[0] ?? Number.NaN);
  return `${figure(median(values))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`;
}

/** As Markdown: the first row names the columns, the first column is to the left, the others to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const lines = rows.map(
    (row) =>
      `| ${row.map((cell) => (typeof cell === 'number' ? figure(cell) : cell.replaceAll('|', '\\|'))).join(' | ')} |`,
  );
  const rule = `| ${rows[0]!.map((_, at) => (at === 0 ? '---' : '---:')).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** 10 k, 1 M: a count as a label. */
export function short(count: number): string {
  if (count >= 1_000_000) return `${count / 1_000_000} M`;
  if (count >= 1_000) return `${count / 1_000} k`;
  return String(count);
}
