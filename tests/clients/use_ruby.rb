# What a user of the generated Ruby client writes; run with URL, user name and password.

require 'json'
require 'signpost_client'

url, username, password = ARGV
SignpostClient.configure do |config|
  config.scheme, config.host = url.split('://')
  config.base_path = '/api'
end

grant = SignpostClient::TokenRequest.new(grant_type: 'password', username: username, password: password)
SignpostClient.configure { |config| config.access_token = SignpostClient::SignInApi.new.create_token(grant).access_token }

posts = SignpostClient::PostsApi.new
draft = { title: 'Grüße from Ruby', body: '*Hello*', tags: ['ÅÄÖ'], status: 'published' }
post = posts.create_post(SignpostClient::PostInput.new(draft))
puts "created #{post.version} #{post.title} #{post.tags}"

page = posts.list_posts(author: username, sort: '-created_at', limit: 100)
puts "listed #{page.items.select { |each| each.id == post.id }.map(&:title)}"

_, _, headers = posts.get_post_with_http_info(post.id)
etag = headers['ETag']
changed = posts.patch_post(post.id, SignpostClient::PostPatch.new(title: 'Changed from Ruby'), if_match: etag)
puts "patched #{changed.version} #{changed.title}"

refused = lambda do |late|
  late.call
rescue SignpostClient::ApiError => error
  problem = SignpostClient::Problem.build_from_hash(JSON.parse(error.response_body, symbolize_names: true))
  puts "refused #{problem.status} #{problem.code}"
end
refused.call(-> { posts.patch_post(post.id, SignpostClient::PostPatch.new(title: 'Too late'), if_match: etag) })
posts.delete_post(post.id)
refused.call(-> { posts.get_post(post.id) })
