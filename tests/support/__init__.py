"""What several tests need: photos, models, commands, servers, made by the tests themselves."""
