package aws

import "time"

// tokenLife is about how long a registration token can be resolved; until then
// the answer is the same each time.
const tokenLife = 4 * time.Hour

type resolveRequest struct {
	RegistrationToken *string
}

func (s *Sim) resolveCustomer(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var request resolveRequest
	if refusal := s.decode(c.body, &request); refusal.status != 0 {
		return refusal
	}
	if request.RegistrationToken == nil || *request.RegistrationToken == "" {
		return refuse("ValidationException", "RegistrationToken is required")
	}
	t := s.market.Tokens[*request.RegistrationToken]
	switch {
	case t == nil:
		return refuse("InvalidTokenException", "Registration token is invalid.")
	case !s.stage.Now().Before(t.Expires):
		return refuse("ExpiredTokenException", "The submitted registration token has expired.")
	}
	a := s.license(t.License)
	result := map[string]string{"CustomerAWSAccountId": a.Account, "ProductCode": a.Product}
	if a.Legacy {
		result["CustomerIdentifier"] = s.market.Customers[a.Account].Identifier
	} else {
		result["LicenseArn"] = a.License
	}
	return done(result)
}
