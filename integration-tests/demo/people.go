package demo

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v4"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/softphone"
)

// readPeople lists the telephones of a switchboard file, in its order.
func readPeople(file string) ([]softphone.Person, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var in struct {
		Users []struct {
			Name   string   `yaml:"name"`
			Phones []string `yaml:"phones"`
		} `yaml:"users"`
	}
	if err := yaml.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%s: %w: check it with switchboard config check", file, err)
	}
	var people []softphone.Person
	for _, u := range in.Users {
		for _, p := range u.Phones {
			people = append(people, softphone.Person{Name: u.Name, Number: p})
		}
	}
	return people, nil
}
