const LONGEST = 80;

type Task = () => void;

/** `task`, which is shown as `other` when somebody asks what is pending. */
export function standingFor(task: Task, other: Task): Task {
  return Object.assign(task, { standsFor: other });
}

/** The name of a task for people, or the beginning of its text, in one line. */
export function taskName(task: Task & { readonly standsFor?: Task }): string {
  if (task.standsFor !== undefined) return taskName(task.standsFor);
  if (task.name !== '') return task.name;
  const text = String(task).replace(/\s+/g, ' ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
