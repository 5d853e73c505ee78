package integrations

import (
	"net/http"
	"sort"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// pluginView is an installed plugin.
type pluginView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// false: it could not be asked just now; name, version and actions are then empty.
	Running bool               `json:"running"`
	Actions []actionDefinition `json:"actions"`
}

// actionDefinition is an action that a plugin offers for its integrations.
type actionDefinition struct {
	Name   string            `json:"name"`
	Label  string            `json:"label"`
	Help   string            `json:"help"`
	Fields []actionFieldView `json:"fields"`
	Group  string            `json:"group"`
}

// actionFieldView is a value that an action asks for.
type actionFieldView struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Help     string `json:"help"`
	Required bool   `json:"required"`
	Format   string `json:"format"`
}

// listPlugins answers GET /plugins. A plugin that does not answer is listed all the same, as
// installed but not running: the list is where an operator looks for it.
func (o *Operations) listPlugins(w http.ResponseWriter, r *http.Request) error {
	ids := append([]string(nil), o.Plugins.PluginIDs()...)
	sort.Strings(ids)
	views := make([]pluginView, 0, len(ids))
	for _, id := range ids {
		view := pluginView{ID: id, Actions: []actionDefinition{}}
		if plugin, ok := o.Plugins.Plugin(id); ok {
			// Asked now and not taken from the engine's copy: that copy outlives the process, and
			// the list is to say whether it runs.
			if d, err := plugin.Describe(r.Context(), integration.DescribeRequest{}); err == nil {
				view.Running, view.Name, view.Version = true, d.Name, d.Version
				view.Actions = actionDefinitions(d.Actions)
			} else {
				o.Logger.WarnContext(r.Context(), "plugin could not be described", "plugin", id, "error", err.Error())
			}
		}
		views = append(views, view)
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// actionDefinitions shows a plugin's actions; none is an empty list.
func actionDefinitions(actions []integration.ActionDescription) []actionDefinition {
	views := make([]actionDefinition, 0, len(actions))
	for _, action := range actions {
		view := actionDefinition{Name: action.Name, Label: action.Label, Help: action.Help, Fields: []actionFieldView{}, Group: action.Group}
		for _, f := range action.Fields {
			view.Fields = append(view.Fields, actionFieldView(f))
		}
		views = append(views, view)
	}
	return views
}

// optionsSchema gives the plugin's bytes as they are: the order of properties is the order of the
// form.
func (o *Operations) optionsSchema(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	plugin, ok := o.Plugins.Plugin(id)
	if !ok {
		return apikit.Refuse(http.StatusNotFound, "not_found", "plugin %q is not installed", id)
	}
	schema, err := plugin.OptionsSchema(r.Context(), integration.OptionsSchemaRequest{})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/schema+json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(schema.Schema)
	if err != nil {
		o.Logger.DebugContext(r.Context(), "response could not be sent", "error", err.Error())
	}
	return nil
}
