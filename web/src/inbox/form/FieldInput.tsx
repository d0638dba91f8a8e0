/** One place of a form. Groups and lists contain others; everything else is one control with its label. */

import { type ReactNode, useId } from "react";

import type { Draft, Problems } from "./draft";
import type { Field, GroupField } from "./field";
import { ListInput } from "./ListInput";
import { SimpleInput } from "./SimpleInput";

export interface InputProps<F extends Field = Field> {
  readonly field: F;
  readonly draft: Draft;
  readonly at: string; // JSON Pointer of this place
  readonly problems: Problems;
  readonly onChange: (draft: Draft) => void;
}

export function FieldInput(props: InputProps): ReactNode {
  const { field } = props;
  if (field.kind === "group") return <Group {...props} field={field} />;
  if (field.kind === "list") return <ListInput {...props} field={field} />;
  return <Labelled {...props} />;
}

function Group({ field, draft, at, problems, onChange }: InputProps<GroupField>): ReactNode {
  const id = useId();
  const values = typeof draft === "object" && !Array.isArray(draft) ? (draft as Readonly<Record<string, Draft>>) : {};
  const inner = field.fields.map(([name, one]) => (
    <FieldInput
      key={name}
      field={one}
      draft={values[name] ?? ""}
      at={`${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`}
      problems={problems}
      onChange={(next) => onChange({ ...values, [name]: next })}
    />
  ));
  if (at === "") return <div className="flex flex-col gap-3">{inner}</div>;
  return (
    <div role="group" aria-labelledby={id} className="flex min-w-0 flex-col gap-3 border-l border-edge pl-3">
      <span id={id} className="text-s text-dim">
        {field.label}
        {field.required ? "" : " (optional)"}
      </span>
      {field.help === null ? null : <p className="text-s text-dim">{field.help}</p>}
      {inner}
    </div>
  );
}

function Labelled(props: InputProps): ReactNode {
  const { field, at, problems } = props;
  const id = useId();
  const problem = problems.get(at);
  const described = [field.help === null ? "" : `${id}-help`, problem === undefined ? "" : `${id}-problem`];
  const control = (
    <SimpleInput {...props} id={id} describedBy={described.join(" ").trim()} invalid={problem !== undefined} />
  );
  const isFlag = field.kind === "flag";
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <div className={isFlag ? "flex items-center gap-2" : "contents"}>
        {isFlag ? control : null}
        <label htmlFor={id} id={`${id}-label`} className={isFlag ? "py-1" : "text-s text-dim empty:hidden"}>
          {field.label}
          {field.required || isFlag || field.label === "" ? "" : " (optional)"}
        </label>
      </div>
      {isFlag ? null : control}
      {field.help === null ? null : (
        <p id={`${id}-help`} className="text-s text-dim">
          {field.help}
        </p>
      )}
      {problem === undefined ? null : (
        <p id={`${id}-problem`} role="alert" className="text-s text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}
