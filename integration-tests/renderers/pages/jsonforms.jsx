// The form as a platform with JSON Forms would draw it.
import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

function Options({ schema, uiSchema, stored }) {
  const [{ data, errors }, setState] = useState({ data: stored, errors: null });
  useEffect(() => {
    if (errors) window.shown = data; // checked, and known to the button
  });
  return (
    <>
      <JsonForms
        schema={schema}
        uischema={uiSchema}
        data={stored} // not what onChange gives: it comes a little late, and would take back what is typed meanwhile
        renderers={vanillaRenderers}
        cells={vanillaCells}
        onChange={setState}
      />
      <button
        id="save"
        onClick={() => {
          if (errors.length) window.refused = errors.map((e) => e.instancePath + " " + e.message);
          else window.submitted = data;
        }}
      >
        Save
      </button>
    </>
  );
}

const get = async (path) => (await fetch(path)).json();
Promise.all([get("schema.json"), get("jsonforms.json"), get("stored.json")]).then(([schema, uiSchema, stored]) => {
  createRoot(window.form).render(<Options {...{ schema, uiSchema, stored }} />);
});
