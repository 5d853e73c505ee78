// The form as a platform with JSON Forms would draw it.
import { JsonForms } from "@jsonforms/react";
import { vanillaCells, vanillaRenderers } from "@jsonforms/vanilla-renderers";
import { useRef } from "react";
import { createRoot } from "react-dom/client";

function Options({ schema, uiSchema, stored }) {
  // What onChange gave last: what the page shows as entered is what the button hands over.
  const latest = useRef(null);
  return (
    <>
      <JsonForms
        schema={schema}
        uischema={uiSchema}
        data={stored} // not what onChange gives: it comes a little late, and would take back what is typed meanwhile
        renderers={vanillaRenderers}
        cells={vanillaCells}
        onChange={(state) => {
          latest.current = state;
          window.shown = state.data;
        }}
      />
      <button
        id="save"
        onClick={() => {
          const { data, errors } = latest.current;
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
