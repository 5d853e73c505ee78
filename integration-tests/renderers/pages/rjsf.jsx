// The form as a platform with react-jsonschema-form would draw it.
import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

function Options({ schema, uiSchema, stored }) {
  const [document, setDocument] = useState(stored);
  useEffect(() => void (window.shown = document));
  return (
    <Form
      schema={schema}
      uiSchema={uiSchema}
      formData={document}
      validator={validator}
      onChange={(e) => setDocument(e.formData)}
      onSubmit={(e) => (window.submitted = e.formData)}
      onError={(errors) => (window.refused = errors.map((e) => e.property + " " + e.message))}
    >
      <button id="save">Save</button>
    </Form>
  );
}

const get = async (path) => (await fetch(path)).json();
Promise.all([get("schema.json"), get("rjsf.json"), get("stored.json")]).then(([schema, uiSchema, stored]) => {
  createRoot(window.form).render(<Options {...{ schema, uiSchema, stored }} />);
});
